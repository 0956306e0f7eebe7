import type { StructMap } from "@guestfs/schema";
import koffi from "koffi";
import { borrowedCString } from "./c-string.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from "./file.ts";
import { constants } from "node:fs";
import { check, SystemError } from "./system-error.ts";

const statxC = koffi.load("libc.so.6").func("statx", "int", ["int", "void*", "int", "uint", "void*"]) as (
  folder: number,
  path: Uint8Array,
  flags: number,
  mask: number,
  result: Uint8Array,
) => number;

const STATX_TYPE = 0x1;
const STATX_SIZE = 0x200;
const STATX_BASIC_STATS = 0x7ff;
const result = new Uint8Array(256);
const view = new DataView(result.buffer);
const empty = new Uint8Array(1);

/** A sparse file may be longer than 2^53: its size stays a bigint to go over the wire as it is. */
function wide(at: number): number {
  const high = view.getUint32(at + 4, true);
  if (high < 0x200000) return high * 0x100000000 + view.getUint32(at, true);
  return view.getBigInt64(at, true) as unknown as number;
}

/** Rounded where no `number` holds it exactly. */
function int64(at: number): number {
  return view.getInt32(at + 4, true) * 0x100000000 + view.getUint32(at, true);
}

/** The C library's `dev_t` of a major and a minor number, as stat(2) gives it. */
function deviceNumber(major: number, minor: number): number {
  const low = (minor & 0xff) + (major & 0xfff) * 0x100;
  return low + Math.floor(minor / 0x100) * 0x100000 + Math.floor(major / 0x1000) * 0x100000000000;
}

function read(): StructMap["statns"] {
  return {
    st_dev: deviceNumber(view.getUint32(136, true), view.getUint32(140, true)),
    st_ino: view.getBigInt64(32, true),
    st_mode: view.getUint16(28, true),
    st_nlink: view.getUint32(16, true),
    st_uid: view.getUint32(20, true),
    st_gid: view.getUint32(24, true),
    st_rdev: deviceNumber(view.getUint32(128, true), view.getUint32(132, true)),
    st_size: wide(40),
    st_blksize: view.getUint32(4, true),
    st_blocks: wide(48),
    st_atime_sec: int64(64),
    st_atime_nsec: view.getUint32(72, true),
    st_mtime_sec: int64(112),
    st_mtime_nsec: view.getUint32(120, true),
    st_ctime_sec: int64(96),
    st_ctime_nsec: view.getUint32(104, true),
    st_spare1: 0,
    st_spare2: 0,
    st_spare3: 0,
    st_spare4: 0,
    st_spare5: 0,
    st_spare6: 0,
  };
}

/** statx(2) of an open file; O_PATH will do. */
export function statOpen(fd: number): StructMap["statns"] {
  check(statxC(fd, empty, AT_EMPTY_PATH, STATX_BASIC_STATS, result), "statx");
  return read();
}

/** statx(2) of a name in an open folder; a symlink is not followed. */
export function statName(folder: number, name: string | Uint8Array): StructMap["statns"] {
  const text = typeof name === "string" ? borrowedCString(name) : Buffer.concat([name, empty]);
  check(statxC(folder, text, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, result), "statx");
  return read();
}

const typeBits = 0xf000;

function readType(): number {
  return view.getUint16(28, true) & typeBits;
}

/** Bytes of an open file if it is a regular one, rounded where no `number` holds them exactly; O_PATH will do. */
export function openFileSize(fd: number): number | undefined {
  check(statxC(fd, empty, AT_EMPTY_PATH, STATX_TYPE | STATX_SIZE, result), "statx");
  return readType() === constants.S_IFREG ? int64(40) : undefined;
}

/** What kind of file lies at a path, symlinks followed, as {@link openType} says it; `undefined` when nothing does. */
export function pathType(path: string): number | undefined {
  if (statxC(AT_FDCWD, borrowedCString(path), 0, STATX_TYPE, result) === 0) return readType();
  const error = new SystemError("statx");
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
  throw error;
}

/** What kind of file is open, as one of `S_IFREG`, `S_IFDIR` ... (inode(7)); O_PATH will do. At a fraction of the price of `fs.fstatSync`. */
export function openType(fd: number): number {
  check(statxC(fd, empty, AT_EMPTY_PATH, STATX_TYPE, result), "statx");
  return readType();
}

/** The device of the filesystem in which something lies: stat(2)'s `st_dev`. */
export function deviceOf(path: string): number {
  check(statxC(AT_FDCWD, borrowedCString(path), 0, STATX_TYPE, result), "statx");
  return deviceNumber(view.getUint32(136, true), view.getUint32(140, true));
}
