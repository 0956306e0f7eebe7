import { mkdirSync, rmdirSync, statSync } from "node:fs";
import { checkRootMounted } from "../argument-check.ts";
import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { mountInGuest, mountMountable } from "../guest-mount.ts";
import { isMountOf, mountedDevices, ourMounts } from "../mount-table.ts";
import type { MountEntry } from "../mount-table.ts";
import { withLoopDevice } from "../native/loop.ts";
import {
  MNT_DETACH,
  MNT_FORCE,
  mount as mountCall,
  MS_RDONLY,
  MS_REMOUNT,
  umount as umountCall,
} from "../native/mount.ts";
import { splitMountOptions } from "../native/libmount.ts";
import { errorText } from "../native/system-error.ts";
import { unmountAll } from "../unmount.ts";

const no9p = "9p filesystems are not supported: the host shares none with the appliance";

function changeMountPoint(context: Context, mountpoint: string, change: (path: string) => void): void {
  if (!mountpoint.startsWith("/"))
    throw new DaemonError(`${mountpoint}: a path must start with a / character`, "EINVAL");
  try {
    context.sysroot.withPlace(mountpoint, ({ path }) => change(path));
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    throw new DaemonError(`${mountpoint}: ${errorText(code)}`, code, { cause: error });
  }
}

/** What lies on top at a path of the guest, or was mounted last of a device. */
function findMount(context: Context, pathOrDevice: string): MountEntry {
  const mounts = ourMounts(context.state);
  if (pathOrDevice.startsWith("/dev/")) {
    const found = statSync(pathOrDevice).isBlockDevice()
      ? mounts.findLast((entry) => isMountOf(entry, pathOrDevice))
      : undefined;
    if (!found) throw new DaemonError(`${pathOrDevice}: not mounted`, "EINVAL");
    return found;
  }
  checkRootMounted(context.state);
  const target = context.sysroot.outside(pathOrDevice);
  const found = mounts.findLast((entry) => entry.target === target);
  if (!found) throw new DaemonError(`${pathOrDevice}: not mounted`, "EINVAL");
  return found;
}

/** Filesystems in the guest's tree. */
export const mount: HandlersOf<"mount"> = {
  mount({ mountable, mountpoint }, context) {
    mountMountable(context, mountable, mountpoint);
  },
  mount_ro({ mountable, mountpoint }, context) {
    mountMountable(context, mountable, mountpoint, { options: "ro" });
  },
  mount_options({ options, mountable, mountpoint }, context) {
    mountMountable(context, mountable, mountpoint, { options });
  },
  mount_vfs({ options, vfstype, mountable, mountpoint }, context) {
    mountMountable(context, mountable, mountpoint, { options, type: vfstype });
  },
  mount_loop({ file, mountpoint }, context) {
    withLoopDevice(context.sysroot, file, (source) =>
      mountInGuest(context, { source, mountpoint, options: "", type: "" }),
    );
  },
  list_9p() {
    throw new DaemonError(no9p, "ENOTSUP");
  },
  mount_9p() {
    throw new DaemonError(no9p, "ENOTSUP");
  },

  mounts: (_, context) => mountedDevices(context.state).map(({ device }) => device),
  mountpoints: (_, context) =>
    Object.fromEntries(mountedDevices(context.state).map(({ device, mountpoint }) => [device, mountpoint])),

  umount({ pathordevice, force, lazyunmount }, context) {
    const { target } = findMount(context, pathordevice);
    umountCall(target, (force ? MNT_FORCE : 0) | (lazyunmount ? MNT_DETACH : 0));
  },
  umount_all(_, context) {
    unmountAll(context);
  },
  remount({ mountpoint, rw }, context) {
    if (rw === undefined) throw new DaemonError("the argument 'rw' must be given", "EINVAL");
    const { target, options } = findMount(context, mountpoint);
    const kept = splitMountOptions(options.filter((option) => option !== "rw" && option !== "ro").join(","));
    mountCall("none", target, "none", MS_REMOUNT | kept.flags | (rw ? 0 : MS_RDONLY), "");
  },

  mkmountpoint({ exemptpath }, context) {
    changeMountPoint(context, exemptpath, (path) => mkdirSync(path, 0o777));
  },
  rmmountpoint({ exemptpath }, context) {
    changeMountPoint(context, exemptpath, rmdirSync);
  },
};
