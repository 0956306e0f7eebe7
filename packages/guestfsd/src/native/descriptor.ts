import koffi from "koffi";
import { PieceList } from "./piece-list.ts";
import { SystemError, uninterrupted } from "./system-error.ts";

const { EAGAIN, EINTR } = koffi.os.errno as { readonly EAGAIN: number; readonly EINTR: number };

type Transfer<Bytes> = (fd: number, bytes: Bytes, count: number) => number;

const libc = koffi.load("libc.so.6");
const readC = libc.func("read", "long", ["int", "void*", "size_t"]) as Transfer<Uint8Array>;
const writeC = libc.func("write", "long", ["int", "void*", "size_t"]) as Transfer<Uint8Array>;
const readvC = libc.func("readv", "long", ["int", "void*", "int"]) as Transfer<Uint32Array>;
const writevC = libc.func("writev", "long", ["int", "void*", "int"]) as Transfer<Uint32Array>;

/** @param count - what the system call returned */
function unlessItWaits(count: number, syscall: string): number | undefined {
  if (count >= 0) return count;
  if (koffi.errno() === EAGAIN) return undefined;
  throw new SystemError(syscall);
}

/**
 * read(2) on a descriptor opened with O_NONBLOCK, at a fraction of the price of `fs.readSync`.
 * @returns bytes read, 0 at the end; `undefined` when it would have had to wait
 */
export function readNow(fd: number, target: Uint8Array): number | undefined {
  return unlessItWaits(readC(fd, target, target.length), "read");
}

/**
 * read(2) on a descriptor that waits, at a fraction of the price of `fs.readSync`.
 * @returns bytes read, 0 at the end
 */
export function readBlocking(fd: number, target: Uint8Array): number {
  return uninterrupted(() => readC(fd, target, target.length), "read");
}

const closeC = libc.func("close", "int", ["int"]) as (fd: number) => number;
/** close(2), at a fraction of the price of `fs.closeSync`. */
export function closeDescriptor(fd: number): void {
  // Interrupted, it is closed all the same.
  if (closeC(fd) < 0 && koffi.errno() !== EINTR) throw new SystemError("close");
}

/** write(2) of all bytes on a descriptor that waits, at a fraction of the price of `fs.writeSync`. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  let at = uninterrupted(() => writeC(fd, bytes, bytes.length), "write");
  while (at < bytes.length) {
    const left = bytes.subarray(at);
    at += uninterrupted(() => writeC(fd, left, left.length), "write");
  }
}

/**
 * write(2) on a descriptor opened with O_NONBLOCK, at a fraction of the price of `fs.writeSync` where it has to wait.
 * @returns bytes written; `undefined` when it would have had to wait
 */
export function writeNow(fd: number, bytes: Uint8Array): number | undefined {
  return unlessItWaits(writeC(fd, bytes, bytes.length), "write");
}

/** readv(2) and writev(2) of pieces of one size that follow each other, on a descriptor opened with O_NONBLOCK. */
export class PiecewiseTransfer {
  readonly #pieces: PieceList;

  /**
   * @param pieceSize - bytes of each piece
   * @param most - how many pieces go in one call
   */
  constructor(pieceSize: number, most: number) {
    this.#pieces = new PieceList(pieceSize, most);
  }

  /**
   * Reads whole pieces, as many as `target` has room for.
   * @returns bytes read, 0 at the end; `undefined` when it would have had to wait
   */
  readNow(fd: number, target: Uint8Array): number | undefined {
    const count = this.#pieces.cover(target);
    return unlessItWaits(readvC(fd, this.#pieces.table, count), "readv");
  }

  /**
   * Writes the whole pieces of `bytes`, as many as there are.
   * @returns bytes written; `undefined` when it would have had to wait
   */
  writeNow(fd: number, bytes: Uint8Array): number | undefined {
    const count = this.#pieces.cover(bytes);
    return unlessItWaits(writevC(fd, this.#pieces.table, count), "writev");
  }
}
