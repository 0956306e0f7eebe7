import { DaemonError } from "./daemon-error.ts";
import { readPartitionTable } from "./native/blkid.ts";
import type { PartitionEntry, PartitionTable } from "./native/blkid.ts";

/** @throws DaemonError (EINVAL) unless it is 1 or more */
export function checkNumber(partnum: number): void {
  if (partnum < 1) throw new DaemonError(`${partnum}: a partition's number must be 1 or more`, "EINVAL");
}

/** The table of a disk that must be of one kind: `gpt` or `dos`. */
export function tableOfType(device: string, type: "gpt" | "dos"): PartitionTable {
  const table = readPartitionTable(device);
  if (table?.type !== type)
    throw new DaemonError(`${device}: its partition table is no ${type === "gpt" ? "GPT" : "MBR"}`, "EINVAL");
  return table;
}

/** A partition of a table. */
export function entryOf(device: string, table: PartitionTable, partnum: number): PartitionEntry {
  checkNumber(partnum);
  const entry = table.partitions.find(({ number }) => number === partnum);
  if (!entry) throw new DaemonError(`${device}: there is no partition number ${partnum}`, "ENOENT");
  return entry;
}

/** @throws DaemonError (EINVAL) unless it is a GUID in its usual writing */
export function checkGuid(guid: string): void {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(guid))
    throw new DaemonError(`${guid}: not a GUID`, "EINVAL");
}
