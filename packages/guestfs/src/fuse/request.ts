/** Operations of the kernel's FUSE protocol (linux/fuse.h). */
export const operation = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  setattr: 4,
  readlink: 5,
  symlink: 6,
  mknod: 8,
  mkdir: 9,
  unlink: 10,
  rmdir: 11,
  rename: 12,
  link: 13,
  open: 14,
  read: 15,
  write: 16,
  statfs: 17,
  release: 18,
  fsync: 20,
  setxattr: 21,
  getxattr: 22,
  listxattr: 23,
  removexattr: 24,
  flush: 25,
  init: 26,
  opendir: 27,
  readdir: 28,
  releasedir: 29,
  fsyncdir: 30,
  create: 35,
  interrupt: 36,
  destroy: 38,
  batchForget: 42,
  readdirplus: 44,
  rename2: 45,
} as const;

const names: ReadonlyMap<number, string> = new Map(Object.entries(operation).map(([name, code]) => [code, name]));

/** An operation for people: `lookup`. */
export function nameOfOperation(opcode: number): string {
  return names.get(opcode) ?? `operation ${opcode}`;
}

const headerSize = 40;

/** A request of the kernel, read piece by piece; numbers are in the machine's order, which is little-endian here. */
export class FuseRequest {
  readonly opcode: number;
  readonly unique: bigint;
  readonly node: number;
  readonly #bytes: Buffer;
  #at: number = headerSize;

  /** @param bytes - exactly one request; not changed by anyone later */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.opcode = bytes.readUInt32LE(4);
    this.unique = bytes.readBigUInt64LE(8);
    this.node = Number(bytes.readBigUInt64LE(16));
  }

  uint32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32LE(this.#at - 4);
  }

  uint64(): number {
    return Number(this.bigUint64());
  }

  bigUint64(): bigint {
    this.#at += 8;
    return this.#bytes.readBigUInt64LE(this.#at - 8);
  }

  int64(): number {
    this.#at += 8;
    return Number(this.#bytes.readBigInt64LE(this.#at - 8));
  }

  skip(count: number): void {
    this.#at += count;
  }

  /** Bytes up to the next NUL, which is passed over. */
  name(): Buffer {
    const end = this.#bytes.indexOf(0, this.#at);
    const name = this.#bytes.subarray(this.#at, end);
    this.#at = end + 1;
    return name;
  }

  /** The next bytes; a view. */
  data(count: number): Buffer {
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }
}
