import { groups } from "@guestfs/schema";
import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";

const searchPath = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** Whether a program is installed on the daemon's side. */
export function programExists(name: string): boolean {
  return searchPath.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function libraryExists(name: string): boolean {
  return ["/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib", "/usr/lib64"].some((folder) =>
    existsSync(join(folder, name)),
  );
}

const always = (): boolean => true;
const programs =
  (...names: string[]) =>
  (): boolean =>
    names.every(programExists);
const library = (name: string) => (): boolean => libraryExists(name);

/** What each optional group needs; a group whose calls have no handlers yet is not available. */
const requirements: Readonly<Record<string, () => boolean>> = {
  "guestfs-extensions": always,
  acl: library("libacl.so.1"),
  augeas: library("libaugeas.so.0"),
  blkdiscard: always,
  blkdiscardzeroes: always,
  btrfs: programs("btrfs", "mkfs.btrfs"),
  clevisluks: programs("clevis-luks-unlock"),
  extlinux: programs("extlinux"),
  f2fs: programs("resize.f2fs"),
  fstrim: always,
  gdisk: programs("sgdisk"),
  grub: programs("grub-install"),
  hivex: library("libhivex.so.0"),
  inotify: always,
  journal: library("libsystemd.so.0"),
  ldm: programs("ldmtool"),
  libtsk: library("libtsk.so.19"),
  libyara: library("libyara.so.9"),
  linuxcaps: library("libcap.so.2"),
  linuxfsuuid: programs("tune2fs"),
  linuxmodules: programs("modprobe"),
  linuxxattrs: always,
  luks: programs("cryptsetup"),
  lvm2: programs("lvm"),
  mdadm: programs("mdadm"),
  mknod: always,
  ntfs3g: programs("ntfs-3g.probe"),
  ntfsprogs: programs("ntfsresize"),
  realpath: always,
  rsync: programs("rsync"),
  scrub: programs("scrub"),
  selinux: () => existsSync("/sys/fs/selinux/enforce"),
  selinuxrelabel: programs("setfiles"),
  sleuthkit: programs("icat"),
  squashfs: programs("mksquashfs"),
  syslinux: programs("syslinux"),
  wipefs: programs("wipefs"),
  xfs: programs("mkfs.xfs"),
  xz: programs("xz"),
  zerofree: programs("zerofree"),
};

const known = new Map<string, boolean>();

/** Whether the calls of a group work here. Asked of the machine once, then remembered. */
export function groupIsAvailable(group: string): boolean {
  let available = known.get(group);
  if (available === undefined) {
    available = requirements[group]?.() ?? false;
    known.set(group, available);
  }
  return available;
}

/** Whether there is such a group at all. */
export function groupIsKnown(group: string): boolean {
  return group === "guestfs-extensions" || groups.some(({ name }) => name === group);
}
