import type { Statns } from "@guestfs/schema";

/** What the kernel is told of a file. */
export interface Attributes {
  readonly stat: Statns;
  /** How long the kernel may take it for true, in seconds. */
  readonly validFor: number;
}

const attributesSize = 88;
/** Bytes of a `fuse_entry_out`. */
export const entrySize: number = 40 + attributesSize;

/** A device number as the kernel's own interfaces have it in 32 bits, from the 64 bits of stat(2). */
function shortDevice(device: number): number {
  const all = BigInt.asUintN(64, BigInt(device));
  const major = ((all >> 8n) & 0xfffn) | ((all >> 32n) & 0xfffff000n);
  const minor = (all & 0xffn) | ((all >> 12n) & 0xffffff00n);
  return Number(BigInt.asUintN(32, (minor & 0xffn) | (major << 8n) | ((minor & ~0xffn) << 12n)));
}

/** A `fuse_attr`. */
function writeAttributes(out: Buffer, at: number, { stat }: Attributes): void {
  const wide = [stat.st_ino, stat.st_size, stat.st_blocks, stat.st_atime_sec, stat.st_mtime_sec, stat.st_ctime_sec];
  wide.forEach((value, index) => out.writeBigInt64LE(BigInt(value), at + 8 * index));
  const narrow = [
    stat.st_atime_nsec,
    stat.st_mtime_nsec,
    stat.st_ctime_nsec,
    stat.st_mode,
    stat.st_nlink,
    stat.st_uid,
    stat.st_gid,
    shortDevice(stat.st_rdev),
    stat.st_blksize,
    0,
  ];
  narrow.forEach((value, index) => out.writeUInt32LE(value >>> 0, at + 48 + 4 * index));
}

/** Writes a `fuse_entry_out`: a name leads to this node. */
export function writeEntry(out: Buffer, at: number, node: number, attributes: Attributes): void {
  const valid = BigInt(attributes.validFor);
  [BigInt(node), 0n, valid, valid].forEach((value, index) => out.writeBigUInt64LE(value, at + 8 * index));
  writeAttributes(out, at + 40, attributes);
}

export function entryReply(node: number, attributes: Attributes): Buffer {
  const out = Buffer.alloc(entrySize);
  writeEntry(out, 0, node, attributes);
  return out;
}

/** A `fuse_attr_out`. */
export function attributesReply(attributes: Attributes): Buffer {
  const out = Buffer.alloc(16 + attributesSize);
  out.writeBigUInt64LE(BigInt(attributes.validFor), 0);
  writeAttributes(out, 16, attributes);
  return out;
}

// FOPEN_NOFLUSH: closing asks nothing. A process that has a file open in a folder that it serves itself would else wait for itself
// with each program that it starts, whose copy of the file is closed before the start has returned.
const openFlags = 1 << 5;

/** A `fuse_open_out`. */
export function openReply(handle: number): Buffer {
  const out = Buffer.alloc(16);
  out.writeBigUInt64LE(BigInt(handle), 0);
  out.writeUInt32LE(openFlags, 8);
  return out;
}

/** One number of 32 bits, and room: a `fuse_write_out` or a `fuse_getxattr_out`. */
export function countReply(count: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeUInt32LE(count, 0);
  return out;
}

/** The listing of a folder that fits in one reply. */
export class ListingReply {
  readonly #out: Buffer;
  readonly #plus: boolean;
  #length = 0;

  /** @param plus - entries go with their attributes, as READDIRPLUS wants them */
  constructor(size: number, plus: boolean) {
    this.#out = Buffer.alloc(size);
    this.#plus = plus;
  }

  /** @returns whether an entry with this name has room */
  fits(name: Uint8Array): boolean {
    return this.#length + this.#sizeOf(name) <= this.#out.length;
  }

  /**
   * @param next - what the kernel gives back to go on behind this entry
   * @param entry - node and attributes; absent: the kernel asks when it needs them
   */
  add(
    name: Uint8Array,
    next: number,
    stat: Statns | undefined,
    entry?: { node: number; attributes: Attributes },
  ): void {
    const size = this.#sizeOf(name);
    let at = this.#length;
    if (this.#plus) {
      if (entry) writeEntry(this.#out, at, entry.node, entry.attributes);
      at += entrySize;
    }
    // A number has to be there, or readdir(3) takes the entry for a deleted one.
    this.#out.writeBigUInt64LE(BigInt.asUintN(64, stat?.st_ino || 0xffffffffn), at);
    this.#out.writeBigUInt64LE(BigInt(next), at + 8);
    this.#out.writeUInt32LE(name.length, at + 16);
    this.#out.writeUInt32LE((stat?.st_mode ?? 0) >> 12, at + 20);
    this.#out.set(name, at + 24);
    this.#length += size;
  }

  bytes(): Buffer {
    return this.#out.subarray(0, this.#length);
  }

  #sizeOf(name: Uint8Array): number {
    return (this.#plus ? entrySize : 0) + ((24 + name.length + 7) & ~7);
  }
}
