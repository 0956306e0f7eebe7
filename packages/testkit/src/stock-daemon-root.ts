/** Where the stock daemon finds the folder that its socket goes into, seen from inside its root. */
export const socketFolder = "/channel";

/**
 * A shell program that turns the mount namespace it runs in into a small root of its own and starts the stock
 * daemon there. Arguments: an empty folder, the folder for the socket, then the daemon's command line.
 *
 * The host's /usr and /etc are there to read; /sysroot is a tmpfs, so that file calls change nothing outside;
 * /dev/disk/by-path exists, without which the daemon ends before it listens.
 */
export const stockDaemonRoot: string = `set -eu
root=$1 channel=$2
shift 2
mount --make-rprivate /
mount -t tmpfs -o mode=755,size=256m none "$root"
cd "$root"
mkdir -p usr etc proc sys dev/pts dev/disk/by-path tmp var/tmp var/lib run sysroot .${socketFolder}
for name in bin sbin lib lib32 lib64 libx32; do
  if [ -e "/$name" ]; then ln -s "usr/$name" "$name"; fi
done
for name in usr etc; do
  mount --rbind "/$name" "$name"
  mount -o remount,bind,ro "$name"
done
for name in null zero full random urandom; do
  : > "dev/$name"
  mount --bind "/dev/$name" "dev/$name"
done
mount -t proc none proc
if ! mount --rbind /sys sys; then echo 'no /sys in the daemon root' >&2; fi
mount -t tmpfs -o mode=755,size=2g none sysroot
mount --bind "$channel" .${socketFolder}
exec chroot . "$@"
`;
