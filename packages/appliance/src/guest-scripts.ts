import { bootModules } from "./kernel-modules.ts";

/** Name of the daemon's channel among the guest's virtio ports. */
export const channelName = "org.libguestfs.channel.0";

/**
 * The initial RAM disk's `/init`: loads the modules, puts the root (first disk) and the system image (second disk) under one writable
 * overlay, and goes on with `/guestfsd/start` there. Every process costs 10 to 20 ms under TCG, so there are few.
 */
export function initScript(): string {
  return `#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc -o noatime proc /proc
$b mount -t devtmpfs -o noatime dev /dev
$b cp -a /nodes/. /dev/
exec </dev/console >/dev/console 2>&1
read words < /proc/cmdline
note() { :; }
case " $words " in *" guestfs.verbose=1 "*) note() { read up rest < /proc/uptime; echo "guestfs-init: $up s: $1"; };; esac
note "kernel is up"
fail() { echo "guestfs-init: $1"; $b sleep 1; $b poweroff -f; }
$b modprobe -a -q ${bootModules.join(" ")}
note "modules are loaded"
i=0
until [ -b /dev/vdb ]; do i=$((i+1)); [ $i -gt 200 ] && fail "the appliance's disks did not appear"; $b usleep 50000; done
$b mount -t erofs -o ro /dev/vda /r || fail "the root image can't be mounted"
$b mount -t erofs -o ro /dev/vdb /s || fail "the system image can't be mounted"
$b mount -t tmpfs -o mode=0755 tmpfs /t
$b mkdir /t/u /t/w
$b mount -t overlay -o lowerdir=/s:/r,upperdir=/t/u,workdir=/t/w overlay /n || fail "the overlay can't be mounted"
note "root is mounted"
$b mount --move /proc /n/proc
$b mount --move /dev /n/dev
exec $b switch_root /n /guestfsd/busybox sh /guestfsd/start
`;
}

/** The guest's `/guestfsd/fstab`: what `start` mounts in one go. */
export const fstab = `sysfs /sys sysfs noatime 0 0
devpts /dev/pts devpts mode=0620,ptmxmode=0666 0 0
tmpfs /dev/shm tmpfs mode=1777 0 0
tmpfs /run tmpfs noatime,mode=0755 0 0
tmpfs /tmp tmpfs noatime,mode=1777 0 0
`;

/** Links and folders that `init` copies into `/dev`, with the devices of `staticNodes`. */
export const devLinks: Readonly<Record<string, string>> = {
  fd: "/proc/self/fd",
  stdin: "/proc/self/fd/0",
  stdout: "/proc/self/fd/1",
  stderr: "/proc/self/fd/2",
};
export const devFolders: readonly string[] = ["pts", "shm", "virtio-ports"];

/**
 * How node is run: without threads that nothing needs, with code that is never forgotten, and with room (MB) for what some thousand calls
 * leave behind: to a clone without KVM, collecting it for the first time costs 50 ms.
 */
export const nodeOptions: readonly string[] = ["--v8-pool-size=0", "--no-flush-bytecode", "--min-semi-space-size=4"];

/**
 * The guest's `/guestfsd/start`, process 1 until the end: mounts the kernel's filesystems, runs the daemon on its port, and switches
 * the guest off when the daemon ends. Threads of the kernel that wake up for nobody (compaction, statistics) are told not to: to a clone
 * without KVM each of them costs a millisecond or more.
 */
export function startScript(runNode: string): string {
  return `#!/guestfsd/busybox sh
b=/guestfsd/busybox
$b mount -a -T /guestfsd/fstab
echo 0 > /proc/sys/vm/compaction_proactiveness
echo 3600 > /proc/sys/vm/stat_interval
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=linux LC_ALL=C.UTF-8 TMPDIR=/tmp
export DM_DISABLE_UDEV=1 MDADM_NO_UDEV=1
read words < /proc/cmdline
note() { :; }
verbose=
case " $words " in *" guestfs.verbose=1 "*)
  verbose=-v
  note() { read up rest < /proc/uptime; echo "guestfs-init: $up s: $1"; };;
esac
note "mounts are made"
case " $words " in *" guestfs.network=1 "*)
  modprobe -a -q virtio_net af_packet
  $b ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up && $b route add default gw 10.0.2.2
  echo nameserver 10.0.2.3 > /etc/resolv.conf;;
esac
$b ifconfig lo 127.0.0.1 up
port=
i=0
while [ -z "$port" ]; do
  for p in /sys/class/virtio-ports/*; do
    read name < $p/name 2>/dev/null
    if [ -n "$name" ]; then
      dev=/dev/\${p##*/}
      $b ln -sf $dev "/dev/virtio-ports/$name"
      [ "$name" = ${channelName} ] && port=$dev
    fi
    name=
  done
  i=$((i+1))
  if [ -z "$port" ]; then [ $i -gt 200 ] && break; $b usleep 50000; fi
done
note "starting the daemon"
if [ -n "$port" ]; then
  ${runNode} ${nodeOptions.join(" ")} /guestfsd/guestfsd.cjs $verbose -c $port
  echo "guestfs-init: the daemon ended with status $?"
else
  echo "guestfs-init: no port named ${channelName}"
fi
$b sync
$b poweroff -f
`;
}
