import koffi from "koffi";
import { ioctl, ioctlNumber } from "./file.ts";
import { check } from "./system-error.ts";

// linux/fs.h, linux/blkpg.h
const BLKROSET = 0x125d;
const BLKROGET = 0x125e;
const BLKRRPART = 0x125f;
const BLKFLSBUF = 0x1261;
const BLKRASET = 0x1262;
const BLKSSZGET = 0x1268;
const BLKPG = 0x1269;
const BLKDISCARD = 0x1277;
const BLKDISCARDZEROES = 0x127c;
const BLKZEROOUT = 0x127f;
const BLKBSZGET = 0x80081270;
const BLKGETSIZE64 = 0x80081272;
const FITRIM = 0xc0185879;

const word = new Uint8Array(8);
const view = new DataView(word.buffer);

function getInt(fd: number, request: number): number {
  word.fill(0);
  ioctl(fd, request, word);
  return view.getInt32(0, true);
}

/** Bytes of a block device. */
export function deviceSize(fd: number): number {
  ioctl(fd, BLKGETSIZE64, word);
  return Number(view.getBigUint64(0, true));
}

/** Bytes of a logical sector. */
export const logicalSectorSize = (fd: number): number => getInt(fd, BLKSSZGET);

/** Bytes of a block of the device's page cache. */
export const softBlockSize = (fd: number): number => getInt(fd, BLKBSZGET);

export const isReadOnly = (fd: number): boolean => getInt(fd, BLKROGET) !== 0;

export function setReadOnly(fd: number, on: boolean): void {
  view.setInt32(0, on ? 1 : 0, true);
  ioctl(fd, BLKROSET, word);
}

/** Read-ahead in sectors of 512 bytes. */
export const setReadAhead = (fd: number, sectors: number): void => void ioctlNumber(fd, BLKRASET, sectors);

/** Writes out and drops what the kernel caches of the device. */
export const flushBuffers = (fd: number): void => void ioctl(fd, BLKFLSBUF, null);

/** Has the kernel read the partition table; EBUSY when one of the partitions is in use. */
export const rereadPartitions = (fd: number): void => void ioctl(fd, BLKRRPART, null);

function rangeCall(fd: number, request: number, start: number, length: number): void {
  ioctl(fd, request, new Uint8Array(new BigUint64Array([BigInt(start), BigInt(length)]).buffer));
}

/** Discards a range, in bytes. */
export const discardRange = (fd: number, start: number, length: number): void =>
  rangeCall(fd, BLKDISCARD, start, length);

/** Zeroes a range, in bytes, by whatever means the device has. */
export const zeroRange = (fd: number, start: number, length: number): void => rangeCall(fd, BLKZEROOUT, start, length);

/** Whether discarded blocks are sure to read as zeroes: since Linux 4.12 it always says no. */
export const discardZeroes = (fd: number): boolean => getInt(fd, BLKDISCARDZEROES) !== 0;

/** Trims the free space of a mounted filesystem (FITRIM), in bytes. */
export function trimFilesystem(fd: number, start: bigint, length: bigint, minimum: bigint): void {
  ioctl(fd, FITRIM, new Uint8Array(new BigUint64Array([start, length, minimum]).buffer));
}

/** What BLKPG does to one partition. */
export const partitionCommand = { add: 1, remove: 2, resize: 3 } as const;

let blkpg: ((fd: number, request: number, argument: unknown) => number) | undefined;

/** Tells the kernel of one partition (BLKPG), without a look at the table. */
export function changePartition(fd: number, command: number, number: number, start = 0, length = 0): void {
  blkpg ??= koffi
    .load("libc.so.6")
    .func("ioctl", "int", [
      "int",
      "ulong",
      koffi.pointer(koffi.struct({ op: "int", flags: "int", datalen: "int", data: "void *" })),
    ]) as typeof blkpg & {};
  // struct blkpg_partition: start, length, pno, devname[64], volname[64]
  const data = new Uint8Array(152);
  const fields = new DataView(data.buffer);
  fields.setBigInt64(0, BigInt(start), true);
  fields.setBigInt64(8, BigInt(length), true);
  fields.setInt32(16, number, true);
  check(blkpg(fd, BLKPG, { op: command, flags: 0, datalen: data.length, data }), "ioctl");
}
