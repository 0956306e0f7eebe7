import { randomUuid } from "../random.ts";
import { btrfs } from "../btrfs.ts";
import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { DeviceNames, isBlockDevice, parseMountable } from "../device.ts";
import { run } from "../exec.ts";
import { findDevice } from "../find-device.ts";
import { kernelHas } from "../kernel-filesystem.ts";
import { probeDevice } from "../native/blkid.ts";
import { guestMounts, isMountOf } from "../mount-table.ts";

type IdentityCalls =
  | "blkid"
  | "filesystem_available"
  | Extract<keyof HandlersOf<"filesystem">, `findfs_${string}`>
  | "get_e2label"
  | "get_e2uuid"
  | "set_e2label"
  | "set_e2uuid"
  | "set_label"
  | "set_uuid"
  | "set_uuid_random"
  | "vfs_label"
  | "vfs_type"
  | "vfs_uuid";

const extTypes = new Set(["ext2", "ext3", "ext4"]);
const fatTypes = new Set(["vfat", "msdos"]);

const deviceOf = (mountable: string): string => parseMountable(mountable, isBlockDevice).device;
const valueOf = (mountable: string, name: string): string => probeDevice(deviceOf(mountable))[name] ?? "";

function checkLength(type: string, label: string, max: number): void {
  if (Buffer.byteLength(label) > max)
    throw new DaemonError(`${label}: a label of ${type} has at most ${max} bytes`, "EINVAL");
}

function mountedAt(context: Context, device: string): string | undefined {
  return guestMounts(context.state).findLast((entry) => isMountOf(entry, device))?.target;
}

function setLabel(context: Context, device: string, label: string): void {
  const type = valueOf(device, "TYPE");
  if (extTypes.has(type)) {
    checkLength(type, label, 16);
    run(["tune2fs", "-L", label, device]);
  } else if (fatTypes.has(type)) {
    checkLength(type, label, 11);
    run(label === "" ? ["fatlabel", "-r", device] : ["fatlabel", "--", device, label]);
  } else if (type === "ntfs") {
    // ntfslabel(8) has no way to end its options.
    if (label.startsWith("-"))
      throw new DaemonError(`${label}: a label of ntfs can't begin with a dash here`, "EINVAL");
    run(["ntfslabel", device, label]);
  } else if (type === "xfs") {
    checkLength(type, label, 12);
    if (mountedAt(context, device)) throw new DaemonError(`${device}: xfs must be unmounted to be labelled`, "EBUSY");
    run(["xfs_admin", "-L", label === "" ? "--" : label, device]);
  } else if (type === "btrfs") {
    checkLength(type, label, 255);
    btrfs(["filesystem", "label", "--", mountedAt(context, device) ?? device, label]);
  } else if (type === "swap") {
    checkLength(type, label, 15);
    run(["swaplabel", "-L", label, device]);
  } else
    throw new DaemonError(`${device}: how a filesystem of the type '${type}' gets a label is not known`, "ENOTSUP");
}

function setUuid(device: string, uuid: string | undefined): void {
  const type = valueOf(device, "TYPE");
  if (extTypes.has(type)) run(["tune2fs", "-f", "-U", uuid ?? "random", device]);
  else if (type === "xfs") run(["xfs_admin", "-U", uuid ?? "generate", device]);
  else if (type === "swap") run(["swaplabel", "-U", uuid ?? randomUuid(), device]);
  else if (type === "btrfs") run(["btrfstune", "-f", ...(uuid === undefined ? ["-u"] : ["-U", uuid]), device]);
  else throw new DaemonError(`${device}: how a filesystem of the type '${type}' gets a UUID is not known`, "ENOTSUP");
}

/** What filesystems are, are called, and how they are found by that. */
export const filesystemIdentity: Pick<HandlersOf<"filesystem">, IdentityCalls> = {
  blkid({ device }, context) {
    const name = new DeviceNames(context.state.options.appliance).toClient(device);
    return { DEVNAME: name, ...probeDevice(device, { partitions: true, topology: true }) };
  },
  vfs_type: ({ mountable }) => valueOf(mountable, "TYPE"),
  vfs_label: ({ mountable }) => valueOf(mountable, "LABEL"),
  vfs_uuid: ({ mountable }) => valueOf(mountable, "UUID"),
  get_e2label: ({ device }) => valueOf(device, "LABEL"),
  get_e2uuid: ({ device }) => valueOf(device, "UUID"),
  set_label({ mountable, label }, context) {
    setLabel(context, deviceOf(mountable), label);
  },
  set_uuid({ device, uuid }) {
    setUuid(device, uuid);
  },
  set_uuid_random({ device }) {
    setUuid(device, undefined);
  },
  set_e2label({ device, label }) {
    checkLength("ext2", label, 16);
    run(["tune2fs", "-L", label, device]);
  },
  set_e2uuid({ device, uuid }) {
    run(["tune2fs", "-f", "-U", uuid, device]);
  },

  findfs_label: ({ label }, context) => findDevice(context, "LABEL", label),
  findfs_uuid: ({ uuid }, context) => findDevice(context, "UUID", uuid),
  findfs_partlabel: ({ label }, context) => findDevice(context, "PART_ENTRY_NAME", label),
  findfs_partuuid: ({ uuid }, context) => findDevice(context, "PART_ENTRY_UUID", uuid),

  filesystem_available({ filesystem }, { state }) {
    if (!/^\w+$/.test(filesystem))
      throw new DaemonError(`${filesystem}: a filesystem's name has letters, digits and _ only`, "EINVAL");
    return kernelHas(state, filesystem);
  },
};
