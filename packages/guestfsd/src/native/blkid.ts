import { decodeText } from "@guestfs/protocol";
import { constants } from "node:fs";
import koffi from "koffi";
import { cString } from "./c-string.ts";
import { closeDescriptor } from "./descriptor.ts";
import { openExisting, openFolder } from "./file.ts";
import { bytesAt, textAt } from "./pointer.ts";
import type { Pointer } from "./pointer.ts";
import { insideRoot } from "./root.ts";
import { SystemError } from "./system-error.ts";

type Out<T> = [T];

/** What of libblkid(3) is used. */
interface Library {
  newProbe(): Pointer | null;
  freeProbe(probe: Pointer): void;
  setDevice(probe: Pointer, fd: number, offset: number, size: number): number;
  enableSuperblocks(probe: Pointer, on: number): number;
  setSuperblocksFlags(probe: Pointer, flags: number): number;
  filterSuperblocksType(probe: Pointer, flag: number, names: readonly (string | null)[]): number;
  enablePartitions(probe: Pointer, on: number): number;
  setPartitionsFlags(probe: Pointer, flags: number): number;
  enableTopology(probe: Pointer, on: number): number;
  doProbe(probe: Pointer): number;
  doSafeProbe(probe: Pointer): number;
  doWipe(probe: Pointer, dryRun: number): number;
  countValues(probe: Pointer): number;
  lookUp(probe: Pointer, name: Uint8Array, data: BigUint64Array, length: null): number;
  getValue(
    probe: Pointer,
    index: number,
    name: Out<Pointer | null>,
    data: Out<Pointer | null>,
    length: Out<number>,
  ): number;
  getPartitions(probe: Pointer): Pointer | null;
  listTable(list: Pointer): Pointer | null;
  listCount(list: Pointer): number;
  listEntry(list: Pointer, index: number): Pointer;
  tableType(table: Pointer): string;
  tableId(table: Pointer): string | null;
  entryTable(entry: Pointer): Pointer | null;
  entryNumber(entry: Pointer): number;
  entryStart(entry: Pointer): number | bigint;
  entrySize(entry: Pointer): number | bigint;
  entryName(entry: Pointer): string | null;
  entryUuid(entry: Pointer): string | null;
  entryTypeText(entry: Pointer): string | null;
  entryType(entry: Pointer): number;
  entryFlags(entry: Pointer): number | bigint;
  entryIsExtended(entry: Pointer): number;
  entryIsLogical(entry: Pointer): number;
}

let loaded: Library | undefined;

function library(): Library {
  if (loaded) return loaded;
  const blkid = koffi.load("libblkid.so.1");
  const bind = (name: string, result: string, parameters: string[]): unknown =>
    blkid.func(`blkid_${name}`, result, parameters);
  const one = (name: string, result: string): unknown => bind(name, result, ["void *"]);
  loaded = {
    newProbe: bind("new_probe", "void *", []),
    freeProbe: one("free_probe", "void"),
    setDevice: bind("probe_set_device", "int", ["void *", "int", "int64", "int64"]),
    enableSuperblocks: bind("probe_enable_superblocks", "int", ["void *", "int"]),
    setSuperblocksFlags: bind("probe_set_superblocks_flags", "int", ["void *", "int"]),
    filterSuperblocksType: bind("probe_filter_superblocks_type", "int", ["void *", "int", "str *"]),
    enablePartitions: bind("probe_enable_partitions", "int", ["void *", "int"]),
    setPartitionsFlags: bind("probe_set_partitions_flags", "int", ["void *", "int"]),
    enableTopology: bind("probe_enable_topology", "int", ["void *", "int"]),
    doProbe: one("do_probe", "int"),
    doSafeProbe: one("do_safeprobe", "int"),
    doWipe: bind("do_wipe", "int", ["void *", "int"]),
    countValues: one("probe_numof_values", "int"),
    lookUp: bind("probe_lookup_value", "int", ["void *", "void *", "void *", "void *"]),
    getValue: bind("probe_get_value", "int", ["void *", "int", "_Out_ void **", "_Out_ void **", "_Out_ size_t *"]),
    getPartitions: one("probe_get_partitions", "void *"),
    listTable: one("partlist_get_table", "void *"),
    listCount: one("partlist_numof_partitions", "int"),
    listEntry: bind("partlist_get_partition", "void *", ["void *", "int"]),
    tableType: one("parttable_get_type", "str"),
    tableId: one("parttable_get_id", "str"),
    entryTable: one("partition_get_table", "void *"),
    entryNumber: one("partition_get_partno", "int"),
    entryStart: one("partition_get_start", "int64"),
    entrySize: one("partition_get_size", "int64"),
    entryName: one("partition_get_name", "str"),
    entryUuid: one("partition_get_uuid", "str"),
    entryTypeText: one("partition_get_type_string", "str"),
    entryType: one("partition_get_type", "int"),
    entryFlags: one("partition_get_flags", "uint64"),
    entryIsExtended: one("partition_is_extended", "int"),
    entryIsLogical: one("partition_is_logical", "int"),
  } as Library;
  return loaded;
}

// blkid/blkid.h
const SUBLKS_LABEL = 1 << 1;
const SUBLKS_UUID = 1 << 3;
const SUBLKS_TYPE = 1 << 5;
const SUBLKS_SECTYPE = 1 << 6;
const SUBLKS_USAGE = 1 << 7;
const SUBLKS_VERSION = 1 << 8;
const SUBLKS_MAGIC = 1 << 9;
const SUBLKS_BADCSUM = 1 << 10;
const FLTR_ONLYIN = 2;
const PARTS_FORCE_GPT = 1 << 1;
const PARTS_ENTRY_DETAILS = 1 << 2;
const PARTS_MAGIC = 1 << 3;

const sectorSize = 512;
const typeName = cString("TYPE");
const typeFound = new BigUint64Array(1);
const ambivalent = -2;

function withProbeOf<T>(fd: number, use: (blkid: Library, probe: Pointer) => T): T {
  const blkid = library();
  const probe = blkid.newProbe();
  if (probe === null) throw new SystemError("blkid_new_probe");
  try {
    if (blkid.setDevice(probe, fd, 0, 0) !== 0) throw new SystemError("blkid_probe_set_device");
    return use(blkid, probe);
  } finally {
    blkid.freeProbe(probe);
  }
}

function withOpen<T>(device: string, flags: number, use: (fd: number) => T): T {
  const fd = openExisting(device, flags | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    return use(fd);
  } finally {
    closeDescriptor(fd);
  }
}

function withProbe<T>(device: string, flags: number, use: (blkid: Library, probe: Pointer) => T): T {
  return withOpen(device, flags, (fd) => withProbeOf(fd, use));
}

function valueAt(blkid: Library, probe: Pointer, index: number): [string, string] | undefined {
  const name: Out<Pointer | null> = [null];
  const data: Out<Pointer | null> = [null];
  const length: Out<number> = [0];
  if (blkid.getValue(probe, index, name, data, length) !== 0 || name[0] === null || data[0] === null) return undefined;
  const bytes = bytesAt(data[0], length[0]);
  const end = bytes.indexOf(0);
  return [textAt(name[0]), decodeText(end < 0 ? bytes : bytes.subarray(0, end))];
}

/** How far {@link probeDevice} looks. */
export interface ProbeScope {
  /** also what the partition table around the device says of it (`PART_ENTRY_*`), and the device's own (`PTTYPE`) */
  readonly partitions?: boolean;
  /** also the device's sizes of sectors and transfers */
  readonly topology?: boolean;
}

/**
 * What a block device holds, as libblkid's low-level probing names it: `TYPE`, `LABEL`, `UUID`, `USAGE` ...; empty when nothing, or two
 * things that exclude each other, were found.
 * @throws an error with the code of open(2)
 */
export function probeDevice(device: string, scope: ProbeScope = {}): Record<string, string> {
  return withProbe(device, constants.O_RDONLY, (blkid, probe) => {
    blkid.enableSuperblocks(probe, 1);
    blkid.setSuperblocksFlags(
      probe,
      SUBLKS_LABEL | SUBLKS_UUID | SUBLKS_TYPE | SUBLKS_SECTYPE | SUBLKS_USAGE | SUBLKS_VERSION,
    );
    if (scope.partitions) {
      blkid.enablePartitions(probe, 1);
      blkid.setPartitionsFlags(probe, PARTS_ENTRY_DETAILS);
    }
    if (scope.topology) blkid.enableTopology(probe, 1);
    const values: Record<string, string> = {};
    if (blkid.doSafeProbe(probe) === ambivalent) return values;
    for (let i = 0; i < blkid.countValues(probe); i++) {
      const value = valueAt(blkid, probe, i);
      if (value) values[value[0]] = value[1];
    }
    return values;
  });
}

function findType(blkid: Library, probe: Pointer): string {
  blkid.enableSuperblocks(probe, 1);
  blkid.setSuperblocksFlags(probe, SUBLKS_TYPE);
  const found = blkid.doSafeProbe(probe) === 0 && blkid.lookUp(probe, typeName, typeFound, null) === 0;
  return found ? textAt(typeFound[0] as Pointer) : "";
}

/**
 * The name of what a block device holds, {@link probeDevice}'s `TYPE`: `ext4`, `LVM2_member` ...; empty when nothing is known of it.
 * @throws an error with the code of open(2)
 */
export function probeType(device: string): string {
  return withProbe(device, constants.O_RDONLY, findType);
}

let elsewhere: number | undefined;

/** Has libblkid find no sysfs, where it looks for the drive that a device belongs to, which takes a cold machine 30 ms. */
function probeWithoutSysfs(device: string, find: (blkid: Library, probe: Pointer) => string): string {
  // To load it needs the root that is left here.
  library();
  elsewhere ??= openFolder("/dev");
  const root = elsewhere;
  return withOpen(device, constants.O_RDONLY, (fd) => insideRoot(root, () => withProbeOf(fd, find)));
}

/** {@link probeType} of what is known to be a partition of a drive, by a process that may chroot(2). */
export function probePartitionType(partition: string): string {
  return probeWithoutSysfs(partition, findType);
}

const memberTypes = ["linux_raid_member", "LVM2_member", null];

/**
 * Which member of a volume a drive or a partition of one is: `linux_raid_member`, `LVM2_member`; empty when neither. By a process that may
 * chroot(2). To look for all that {@link probeType} knows reads ten times as much, and TCG translates 13,000 blocks more for it.
 * @throws an error with the code of open(2)
 */
export function probeMember(device: string): string {
  return probeWithoutSysfs(device, (blkid, probe) => {
    blkid.enableSuperblocks(probe, 1);
    blkid.filterSuperblocksType(probe, FLTR_ONLYIN, memberTypes);
    return findType(blkid, probe);
  });
}

/** A partition as its table describes it. */
export interface PartitionEntry {
  readonly number: number;
  /** first byte on the disk */
  readonly start: number;
  /** in bytes; an extended partition has its full size */
  readonly size: number;
  readonly kind: "primary" | "extended" | "logical";
  /** empty when it has none */
  readonly name: string;
  /** as libblkid writes it: lower case */
  readonly uuid: string;
  /** GUID of the type in a GPT, `0x83` in an MBR */
  readonly typeText: string;
  /** type byte in an MBR */
  readonly type: number;
  /** attributes in a GPT, the boot indicator (0x80) in an MBR */
  readonly flags: bigint;
}

/** The table of partitions on a disk. */
export interface PartitionTable {
  /** libblkid's name: `gpt`, `dos`, `mac`, `sun`, `sgi`, `bsd` ... */
  readonly type: string;
  /** GUID of the disk or its short number; empty when it has none */
  readonly id: string;
  /** in the order of the table */
  readonly partitions: readonly PartitionEntry[];
}

function readEntry(blkid: Library, entry: Pointer): PartitionEntry {
  const logical = blkid.entryIsLogical(entry) ? "logical" : "primary";
  return {
    number: blkid.entryNumber(entry),
    start: Number(blkid.entryStart(entry)) * sectorSize,
    size: Number(blkid.entrySize(entry)) * sectorSize,
    kind: blkid.entryIsExtended(entry) ? "extended" : logical,
    name: blkid.entryName(entry) ?? "",
    uuid: blkid.entryUuid(entry) ?? "",
    typeText: blkid.entryTypeText(entry) ?? "",
    type: blkid.entryType(entry),
    flags: BigInt(blkid.entryFlags(entry)),
  };
}

/** Reads the partition table of a disk; `undefined` when libblkid finds none. Tables inside of partitions are left out. */
export function readPartitionTable(device: string): PartitionTable | undefined {
  return withProbe(device, constants.O_RDONLY, (blkid, probe) => {
    blkid.enableSuperblocks(probe, 0);
    blkid.enablePartitions(probe, 1);
    const list = blkid.getPartitions(probe);
    const table = list === null ? null : blkid.listTable(list);
    if (list === null || table === null) return undefined;
    const entries = Array.from({ length: blkid.listCount(list) }, (_, index) => blkid.listEntry(list, index));
    return {
      type: blkid.tableType(table),
      id: blkid.tableId(table) ?? "",
      partitions: entries.filter((entry) => blkid.entryTable(entry) === table).map((entry) => readEntry(blkid, entry)),
    };
  });
}

/**
 * Overwrites the magic numbers of every filesystem, volume, RAID member and partition table that libblkid recognises.
 * @param exclusive - EBUSY when the device is in use
 */
export function wipeSignatures(device: string, exclusive: boolean): void {
  withProbe(device, constants.O_RDWR | (exclusive ? constants.O_EXCL : 0), (blkid, probe) => {
    blkid.enableSuperblocks(probe, 1);
    blkid.setSuperblocksFlags(probe, SUBLKS_MAGIC | SUBLKS_TYPE | SUBLKS_BADCSUM);
    blkid.enablePartitions(probe, 1);
    blkid.setPartitionsFlags(probe, PARTS_MAGIC | PARTS_FORCE_GPT);
    // Each round wipes one; the bound keeps a device that swallows writes from holding us for ever.
    for (let round = 0; round < 1000 && blkid.doProbe(probe) === 0; round++) {
      if (blkid.doWipe(probe, 0) !== 0) throw new SystemError("blkid_do_wipe");
    }
  });
}
