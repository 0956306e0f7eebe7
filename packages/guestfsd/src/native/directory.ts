import koffi from "koffi";
import { cString } from "./c-string.ts";
import { O_CLOEXEC } from "./file.ts";
import { check, uninterrupted } from "./system-error.ts";

const libc = koffi.load("libc.so.6");
const SYS_getdents64 = 217;
const getdents = libc.func("syscall", "long", ["long", "int", "void*", "size_t"]) as (
  number: number,
  fd: number,
  buffer: Uint8Array,
  size: number,
) => number;
const openatC = libc.func("openat", "int", ["int", "void*", "int", "uint"]) as (
  folder: number,
  name: Uint8Array,
  flags: number,
  mode: number,
) => number;

export const DT_UNKNOWN = 0;
export const DT_FIFO = 1;
export const DT_CHR = 2;
export const DT_DIR = 4;
export const DT_BLK = 6;
export const DT_REG = 8;
export const DT_LNK = 10;
export const DT_SOCK = 12;

/** An entry of a folder. The same object is handed out for each one, and its name is a view: copy what is to stay. */
export interface DirectoryEntry {
  /** without the NUL behind it */
  name: Buffer;
  /** one of the DT_ values */
  type: number;
  inodeHigh: number;
  inodeLow: number;
}

/** Room for a good many entries, in bytes. */
export const batchSize: number = 64 * 1024;
const headSize = 19;

/** An entry to be filled in by {@link decodeEntry}. */
export function makeEntry(): DirectoryEntry {
  return { name: Buffer.alloc(0), type: DT_UNKNOWN, inodeHigh: 0, inodeLow: 0 };
}

/**
 * getdents64(2), once: the next entries of an open folder.
 * @returns bytes of the buffer that they take; 0 at the end
 */
export function readEntries(fd: number, buffer: Buffer): number {
  return uninterrupted(() => getdents(SYS_getdents64, fd, buffer, buffer.length), "getdents64");
}

/**
 * Takes the entry that stands at a place of what {@link readEntries} has read.
 * @returns where the next one stands
 */
export function decodeEntry(buffer: Buffer, at: number, entry: DirectoryEntry): number {
  entry.inodeLow = buffer.readUInt32LE(at);
  entry.inodeHigh = buffer.readUInt32LE(at + 4);
  entry.type = buffer[at + 18] as number;
  entry.name = buffer.subarray(at + headSize, buffer.indexOf(0, at + headSize));
  return at + buffer.readUInt16LE(at + 16);
}

/**
 * getdents64(2), to the end of an open folder; `.` and `..` are among the entries.
 * @param fd - opened for reading, and read by nobody else
 */
export function readDirectory(fd: number, visit: (entry: DirectoryEntry) => void): void {
  // Not shared: a visitor may read another folder.
  const buffer = Buffer.allocUnsafe(batchSize);
  const entry = makeEntry();
  for (;;) {
    const length = readEntries(fd, buffer);
    if (length === 0) return;
    for (let at = 0; at < length;) {
      at = decodeEntry(buffer, at, entry);
      visit(entry);
    }
  }
}

/** Whether a name is `.` or `..`. */
export function isDots(name: Uint8Array): boolean {
  return name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e));
}

/** openat(2) of a name in an open folder; give O_NOFOLLOW, for nothing keeps a symlink inside the guest's tree here. */
export function openAt(folder: number, name: Uint8Array | string, flags: number): number {
  const text = typeof name === "string" ? cString(name) : Buffer.concat([name, Buffer.alloc(1)]);
  return check(openatC(folder, text, flags | O_CLOEXEC, 0), "openat");
}
