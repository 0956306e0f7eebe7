import type { DeviceFinder } from "./device-finder.ts";
import { readPartitionTable } from "../native/blkid.ts";
import type { Registry } from "./registry.ts";

const gptMark = Buffer.from("DMIO:ID:");

/** A GUID of 16 bytes as Windows stores it: its first three parts are little-endian. */
export function formatGuid(bytes: Buffer): string {
  const parts = [
    Buffer.from(bytes.subarray(0, 4)).reverse(),
    Buffer.from(bytes.subarray(4, 6)).reverse(),
    Buffer.from(bytes.subarray(6, 8)).reverse(),
    bytes.subarray(8, 10),
    bytes.subarray(10, 16),
  ];
  return parts.map((part) => part.toString("hex")).join("-");
}

/** In an MBR: four bytes that name the disk, then where the partition begins, in bytes. */
function byOffset(finder: DeviceFinder, value: Buffer): string | undefined {
  const identity = value.readUInt32LE(0).toString(16).padStart(8, "0");
  const start = value.readBigUInt64LE(4);
  for (const [index, drive] of finder.drives.entries()) {
    const table = tableOf(drive);
    if (table?.type !== "dos" || table.id.replace(/^0x/, "").padStart(8, "0") !== identity) continue;
    const partition = table.partitions.find((entry) => BigInt(entry.start) === start);
    if (partition) return finder.drive(index, partition.number);
  }
  return undefined;
}

function tableOf(drive: string): ReturnType<typeof readPartitionTable> {
  try {
    return readPartitionTable(`/dev/${drive}`);
  } catch {
    return undefined;
  }
}

/** Drive letters of the key MountedDevices in the hive SYSTEM, and the devices they stand for. */
export function driveMappings(registry: Registry, finder: DeviceFinder): Record<string, string> {
  const mappings: Record<string, string> = {};
  for (const { key, bytes } of registry.values(registry.node(["MountedDevices"]))) {
    const letter = /^\\DosDevices\\([A-Za-z]):$/i.exec(key)?.[1]?.toUpperCase();
    if (letter === undefined) continue;
    const device =
      bytes.length === 24 && bytes.subarray(0, 8).equals(gptMark)
        ? finder.by("PART_ENTRY_UUID", formatGuid(bytes.subarray(8)))
        : bytes.length === 12
          ? byOffset(finder, bytes)
          : undefined;
    if (device !== undefined) mappings[letter] = device;
  }
  return mappings;
}
