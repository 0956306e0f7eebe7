import { partitionParent } from "../block-device.ts";
import type { HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { readPartitionTable } from "../native/blkid.ts";
import type { PartitionTable } from "../native/blkid.ts";
import { parted, readWithParted } from "../parted.ts";
import type { PartedTable } from "../parted.ts";
import { checkNumber } from "../partition-table.ts";
import { partitionAttribute } from "./partition-attribute.ts";
import { sfdisk } from "./sfdisk.ts";

/** parted's names of tables, by ours and by those that people use. */
const tableTypes: Readonly<Record<string, string>> = {
  gpt: "gpt",
  efi: "gpt",
  mbr: "msdos",
  msdos: "msdos",
  aix: "aix",
  amiga: "amiga",
  rdb: "amiga",
  bsd: "bsd",
  dasd: "dasd",
  dvh: "dvh",
  mac: "mac",
  pc98: "pc98",
  sun: "sun",
  loop: "loop",
};
const kinds: Readonly<Record<string, string>> = {
  p: "primary",
  primary: "primary",
  l: "logical",
  logical: "logical",
  e: "extended",
  extended: "extended",
};

function tableType(parttype: string): string {
  const type = Object.hasOwn(tableTypes, parttype) ? tableTypes[parttype] : undefined;
  if (type === undefined)
    throw new DaemonError(`${parttype}: unknown type of partition table; the usual ones are "gpt" and "mbr"`, "EINVAL");
  return type;
}

const protectiveMbr = 0xee;

/** A table that libblkid reads in no time. An MBR with nothing in it may be what another kind of table stands behind. */
function commonTable(device: string): PartitionTable | undefined {
  const table = readPartitionTable(device);
  const isOwn = table?.type === "dos" && table.partitions.some(({ type }) => type !== protectiveMbr);
  return isOwn || table?.type === "gpt" ? table : undefined;
}

/** What parted(8) finds. @throws DaemonError when there is no table */
function partedTable(device: string): PartedTable {
  const table = readWithParted(device);
  if (table.type === "loop") throw new DaemonError(`${device}: it has no partition table`, "EINVAL");
  return table;
}

function parent(partition: string): { drive: string; number: number } {
  const found = partitionParent(partition);
  if (!found) throw new DaemonError(`${partition}: not a partition`, "EINVAL");
  return found;
}

/** Partition tables. */
export const partition: HandlersOf<"partition"> = {
  ...partitionAttribute,
  ...sfdisk,

  part_init({ device, parttype }) {
    parted(device, "mklabel", tableType(parttype));
  },
  part_add({ device, prlogex, startsect, endsect }) {
    const kind = Object.hasOwn(kinds, prlogex) ? kinds[prlogex] : undefined;
    if (kind === undefined)
      throw new DaemonError(`${prlogex}: a partition is "primary", "logical" or "extended"`, "EINVAL");
    if (startsect < 0) throw new DaemonError(`${startsect}: the first sector can't be negative`, "EINVAL");
    parted(device, "mkpart", kind, `${startsect}s`, `${endsect}s`);
  },
  part_del({ device, partnum }) {
    checkNumber(partnum);
    parted(device, "rm", String(partnum));
  },
  part_resize({ device, partnum, endsect }) {
    checkNumber(partnum);
    parted(device, "resizepart", String(partnum), `${endsect}s`);
  },
  part_disk({ device, parttype }) {
    const type = tableType(parttype);
    // Aligned to 64 KiB at both ends. In a GPT the word is the partition's name.
    parted(device, "mklabel", type, "mkpart", type === "gpt" ? "p1" : "primary", "128s", "-128s");
  },
  part_list({ device }) {
    const table = commonTable(device);
    const entries = table
      ? table.partitions.map(({ number, start, size }) => ({ number, start, end: start + size - 1, size }))
      : partedTable(device).partitions;
    return entries
      .toSorted((a, b) => a.number - b.number)
      .map(({ number, start, end, size }) => ({ part_num: number, part_start: start, part_end: end, part_size: size }));
  },
  part_get_parttype({ device }) {
    const table = commonTable(device);
    return table ? (table.type === "dos" ? "msdos" : table.type) : partedTable(device).type;
  },
  part_to_dev: (args) => `/dev/${parent(args.partition).drive}`,
  part_to_partnum: (args) => parent(args.partition).number,
};
