/** Which daemon the machine carries: ours, from our Debian package, or the distribution's. */
export type GuestDaemon = "own" | "stock";

/** Name of the port that the guest agent listens on; not the agent's usual one, which libvirt would keep for itself. */
export const agentPort = "org.guestfs.test.agent";

/** Debian release of the machine. */
export const guestSuite = "bookworm";

/**
 * Its packages on top of the essential ones. The stock daemon is in every image, and removed again where ours goes:
 * one download serves both, and what it depends on is there for our daemon's optional groups.
 */
export const guestPackages: readonly string[] = [
  ...["systemd", "systemd-sysv", "udev", "kmod", "e2fsprogs", "libstdc++6", "attr", "acl"],
  ...["qemu-guest-agent", "guestfsd"],
];

/** Modules that the initial RAM disk loads to reach the root filesystem. */
export const bootModules: readonly string[] = [
  ...["crc32c-intel", "crc32c_generic", "virtio_pci", "virtio_blk", "virtio_console", "ext4"],
];

/** The initial RAM disk's `/init`. */
export const initScript: string = `#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
$b modprobe -a -q ${bootModules.join(" ")}
i=0
until [ -b /dev/vda ]; do i=$((i+1)); [ $i -gt 400 ] && { echo "init: no disk"; $b poweroff -f; }; $b usleep 50000; done
$b mount -t ext4 /dev/vda /r || { echo "init: the root can't be mounted"; $b poweroff -f; }
$b mount --move /dev /r/dev
$b umount /proc
exec $b switch_root /r /sbin/init
`;

// Nothing that these do is wanted, and each costs a second or more of an emulated processor.
const masked = [
  ...["systemd-timesyncd.service", "systemd-hwdb-update.service", "systemd-journal-catalog-update.service"],
  ...["systemd-update-done.service", "systemd-update-utmp.service", "systemd-update-utmp-runlevel.service"],
  ...["systemd-random-seed.service", "systemd-pstore.service", "ldconfig.service", "systemd-sysusers.service"],
  ...["e2scrub_reap.service", "e2scrub_all.timer", "fstrim.timer", "dpkg-db-backup.timer", "logrotate.timer"],
  ...["getty.target", "serial-getty@ttyS0.service", "systemd-logind.service", "systemd-user-sessions.service"],
  ...["kmod-static-nodes.service", "modprobe@drm.service", "modprobe@configfs.service", "modprobe@efi_pstore.service"],
  ...["modprobe@dm_mod.service", "modprobe@loop.service", "sys-kernel-debug.mount", "sys-kernel-tracing.mount"],
  ...["dev-hugepages.mount", "dev-mqueue.mount", "systemd-binfmt.service", "apparmor.service"],
];

const agentUnit = `[Unit]
Description=Guest agent for the tests
BindsTo=dev-virtio\\x2dports-${agentPort}.device
After=dev-virtio\\x2dports-${agentPort}.device
DefaultDependencies=no

[Service]
ExecStart=/usr/sbin/qemu-ga --method=virtio-serial --path=/dev/virtio-ports/${agentPort} --statedir=/run
Restart=always
`;

// Debian brings the stock daemon without a unit.
const stockUnit = `[Unit]
Description=The stock daemon
BindsTo=dev-virtio\\x2dports-org.libguestfs.channel.0.device
After=dev-virtio\\x2dports-org.libguestfs.channel.0.device
StartLimitIntervalSec=0

[Service]
ExecStart=/usr/sbin/guestfsd -r -c /dev/virtio-ports/org.libguestfs.channel.0
Restart=always
RestartSec=100ms
`;

const startWithPort = (port: string, unit: string): string =>
  `SUBSYSTEM=="virtio-ports", ACTION!="remove", ATTR{name}=="${port}", TAG+="systemd", ENV{SYSTEMD_WANTS}+="${unit}"\n`;

/** Files to put into the machine, by path. A value that begins with `->` is a link's target. */
export function guestFiles(daemon: GuestDaemon): Record<string, string> {
  return {
    "etc/hostname": "live-guest\n",
    "etc/machine-id": "6c697665677565737400000000000001\n",
    "etc/fstab": "/dev/vda / ext4 defaults 0 0\n",
    "etc/systemd/system/default.target": "->/lib/systemd/system/multi-user.target",
    "etc/systemd/journald.conf.d/test.conf": "[Journal]\nStorage=volatile\nRateLimitBurst=0\n",
    "etc/systemd/system/test-agent.service": agentUnit,
    "etc/udev/rules.d/90-test-agent.rules": startWithPort(agentPort, "test-agent.service"),
    ...Object.fromEntries(masked.map((unit) => [`etc/systemd/system/${unit}`, "->/dev/null"])),
    ...(daemon === "stock" && {
      "etc/systemd/system/stock-guestfsd.service": stockUnit,
      "etc/udev/rules.d/90-stock-guestfsd.rules": startWithPort("org.libguestfs.channel.0", "stock-guestfsd.service"),
    }),
  };
}
