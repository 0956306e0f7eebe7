import { arrays, kernelPartitions, mappedDevices, wholeDrives } from "./block-device.ts";
import { registerBtrfsMembers } from "./btrfs-members.ts";
import type { Context } from "./context.ts";
import { groupIsAvailable } from "./groups.ts";
import { btrfsSubvolume } from "./handlers/btrfs-subvolume.ts";
import { ldm } from "./handlers/ldm.ts";
import { logicalVolumes } from "./lvm.ts";
import { probeType, readPartitionTable } from "./native/blkid.ts";
import type { PartitionTable } from "./native/blkid.ts";

// Types of GPT partitions that never hold a filesystem: Microsoft's reserved one and those of dynamic disks.
const reservedTypes = new Set([
  "e3c9e316-0b5c-4db8-817d-f92df00215ae",
  "5808c8aa-7e8f-42e0-85d2-e1e90434cfb3",
  "af9b60a0-1431-4f62-bc68-3311714a69ad",
]);
const dynamicDiskByte = 0x42;

/** What is opened first: it holds volumes, or is the key to them. */
const isContainer = (type: string): boolean =>
  type.endsWith("_member") || type === "crypto_LUKS" || type === "BitLocker";

function mayHoldFileSystem(table: PartitionTable | undefined, number: number): boolean {
  const entry = table?.partitions.find((partition) => partition.number === number);
  if (!entry) return true;
  if (table?.type === "gpt") return !reservedTypes.has(entry.typeText);
  return entry.kind !== "extended" && !(table?.type === "dos" && entry.type === dynamicDiskByte);
}

/** A disk whose table can't be read is one that has none. */
function tableOf(device: string): PartitionTable | undefined {
  try {
    return readPartitionTable(device);
  } catch {
    return undefined;
  }
}

/** The type of what a device holds, empty when it holds nothing known or can't be read. */
export function fileSystemType(device: string): string {
  try {
    return probeType(device);
  } catch {
    return "";
  }
}

function addBtrfs(context: Context, device: string, found: Record<string, string>): void {
  found[device] = "btrfs";
  if (!groupIsAvailable("btrfs")) return;
  try {
    registerBtrfsMembers(context, device);
    // The default subvolume is what one gets by mounting the device.
    const standard = btrfsSubvolume.btrfs_subvolume_get_default({ fs: device }, context);
    for (const volume of btrfsSubvolume.btrfs_subvolume_list({ fs: device }, context))
      if (volume.btrfssubvolume_id !== standard) found[`btrfsvol:${device}/${volume.btrfssubvolume_path}`] = "btrfs";
  } catch {
    // A damaged one, or one with missing members, is still listed.
  }
}

function add(context: Context, device: string, found: Record<string, string>): string {
  const type = fileSystemType(device);
  if (type === "btrfs") addBtrfs(context, device, found);
  else if (type === "") found[device] = "unknown";
  else if (!isContainer(type)) found[device] = type;
  return type;
}

/**
 * Every filesystem with its type: on drives without partitions, on partitions, arrays, mapped devices, logical volumes and dynamic
 * disks' volumes.
 * In btrfs each subvolume is one more.
 */
export function listFileSystems(context: Context): Record<string, string> {
  const found: Record<string, string> = {};
  const types = new Set<string>();
  const whole = (names: readonly string[]): void => {
    for (const name of names) if (kernelPartitions(name).length === 0) types.add(add(context, `/dev/${name}`, found));
  };
  const drives = wholeDrives(context);
  const md = arrays();
  whole(drives);
  for (const drive of [...drives, ...md]) {
    const known = kernelPartitions(drive);
    const table = known.length === 0 ? undefined : tableOf(`/dev/${drive}`);
    for (const { name, number } of known)
      if (mayHoldFileSystem(table, number)) types.add(add(context, `/dev/${name}`, found));
  }
  whole(md);
  for (const mapped of mappedDevices()) types.add(add(context, mapped, found));
  // Asking LVM takes long, so only where there is something of it.
  if (types.has("LVM2_member") && groupIsAvailable("lvm2"))
    for (const volume of logicalVolumes(context)) add(context, volume, found);
  if (groupIsAvailable("ldm"))
    for (const volume of [...ldm.list_ldm_volumes({}, context), ...ldm.list_ldm_partitions({}, context)])
      add(context, volume, found);
  return found;
}
