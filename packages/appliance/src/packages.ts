/**
 * The Debian packages whose files make the appliance's root, by what they are for. Their dependencies come along, without those that
 * {@link leaveOut} refuses.
 */
export const guestPackages: readonly string[] = [
  // what everything needs
  ...[
    "libc6",
    "libc-bin",
    "libstdc++6",
    "libgcc-s1",
    "bash",
    "dash",
    "coreutils",
    "findutils",
    "grep",
    "sed",
    "mawk",
    "diffutils",
  ],
  ...[
    "util-linux",
    "util-linux-extra",
    "bsdextrautils",
    "mount",
    "kmod",
    "procps",
    "psmisc",
    "iproute2",
    "ncurses-bin",
  ],
  // partitions and block devices
  ...["fdisk", "parted", "gdisk", "lvm2", "dmsetup", "mdadm", "cryptsetup-bin", "libblkid1", "scrub", "ldmtool"],
  // filesystems
  ...[
    "e2fsprogs",
    "xfsprogs",
    "btrfs-progs",
    "dosfstools",
    "mtools",
    "ntfs-3g",
    "f2fs-tools",
    "jfsutils",
    "nilfs-tools",
    "zerofree",
  ],
  ...["reiserfsprogs", "squashfs-tools", "xorriso", "genisoimage", "fuse3"],
  // archives and their compressors
  ...["tar", "cpio", "gzip", "bzip2", "xz-utils", "zstd", "lzop", "rsync"],
  // boot loaders
  ...["extlinux", "syslinux", "syslinux-common"],
  // libraries that the daemon calls, and the data they read
  ...["libaugeas0", "augeas-lenses", "libhivex0", "libmagic1", "libmagic-mgc", "file", "binutils", "libtsk19"],
  ...["attr", "acl", "libacl1", "libattr1", "libcap2", "libcap2-bin", "libpcre2-8-0", "libselinux1"],
];

// Wanted by maintainer scripts, by udev or by side programs; nothing that the daemon runs needs them.
const refused: readonly RegExp[] = [
  /^(lib)?python3/,
  /^(lib)?perl|^lib.*-perl$/,
  /^(lib)?pam|^libpam/,
  /^libdebconf|^debconf|^cdebconf|^ucf$|^sensible-utils$|^debianutils$|^usrmerge$/,
  /^dpkg$|^adduser$|^passwd$|^login$|^base-passwd$|^base-files$|^init-system-helpers$|^lsb-base$|^sysvinit-utils$/,
  /^udev$|^systemd|^dmeventd$|^mailcap$|^media-types$|^bind9-host$|^tzdata$|^readline-common$|^dmidecode$/,
  /^libgprofng|^libsemanage|^fontconfig|^fonts-/,
];

/** Whether a package that others depend on is left out of the appliance. */
export function leaveOut(packageName: string): boolean {
  return refused.some((pattern) => pattern.test(packageName));
}

/** Paths inside packages that are not unpacked, as tar(1) patterns. */
export const unpackedWithout: readonly string[] = [
  "./usr/share/doc",
  "./usr/share/man",
  "./usr/share/locale",
  "./usr/share/info",
  "./usr/share/lintian",
  "./usr/share/bug",
  "./usr/share/bash-completion",
  "./usr/share/augeas/lenses/dist/tests",
  "./usr/lib/systemd",
  "./lib/systemd",
  "./lib/udev",
  "./usr/lib/udev",
  "./usr/share/initramfs-tools",
  "./etc/init.d",
  "./etc/cron.*",
];
