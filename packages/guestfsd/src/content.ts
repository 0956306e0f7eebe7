import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from "node:fs";
import type { Stats } from "node:fs";
import type { Context } from "./context.ts";
import { DaemonError } from "./daemon-error.ts";
import { ReplyRoom } from "./reply-room.ts";
import { fsPath } from "./sysroot.ts";

const blockSize = 256 * 1024;

/** Opening a pipe or a terminal line of the guest must not wait for its other end. */
const neverWait = constants.O_NONBLOCK | constants.O_NOCTTY;

/** Opens what a `device-or-path` argument names: a device of the daemon's side, or a file of the guest. */
export function withDeviceOrFile<T>(
  context: Context,
  path: string,
  flags: number,
  use: (fd: number) => T,
  mode = 0o666,
): T {
  if (!path.startsWith("/dev/"))
    return context.sysroot.withOpen(path, flags | neverWait, use, (flags & constants.O_CREAT) === 0 ? 0 : mode);
  return withDevice(path, flags & ~(constants.O_CREAT | constants.O_TRUNC), use);
}

function withDevice<T>(device: string, flags: number, use: (fd: number) => T): T {
  const fd = openSync(fsPath(device), flags | neverWait);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** Opens a file of the guest for reading. */
export function withSource<T>(context: Context, path: string, use: (fd: number) => T): T {
  return context.sysroot.withOpen(path, constants.O_RDONLY | neverWait, use);
}

function readable<T>(path: string, use: (fd: number, stat: Stats) => T): (fd: number) => T {
  return (fd) => {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) throw new DaemonError(`${path}: Is a directory`, "EISDIR");
    if (!stat.isFile() && !stat.isBlockDevice()) throw new DaemonError(`${path}: not a regular file`, "EINVAL");
    return use(fd, stat);
  };
}

/**
 * Opens a file of the guest that is to be read to its end.
 * @throws DaemonError for a folder, a pipe or a character device, whose end might never come
 */
export function withContent<T>(context: Context, path: string, use: (fd: number, stat: Stats) => T): T {
  return withSource(context, path, readable(path, use));
}

/** The same for what a `device` argument names. */
export function withDeviceContent<T>(device: string, use: (fd: number, stat: Stats) => T): T {
  return withDevice(device, constants.O_RDONLY, readable(device, use));
}

/**
 * The bytes of a descriptor from its place on, block by block; each block is valid until the next one is taken.
 * @param pulse - of the call: the end may be far away
 */
export function* blocksOf(fd: number, pulse: () => void, size: number = blockSize): Generator<Buffer> {
  const buffer = Buffer.allocUnsafe(size);
  for (let first = true; ; first = false) {
    const count = readSync(fd, buffer, 0, size, null);
    if (count === 0) return;
    // To look out for the client costs more than to read a small file.
    if (!first) pulse();
    yield buffer.subarray(0, count);
  }
}

/** Writes all of some bytes at a descriptor's place, or at an offset. */
export function writeAll(fd: number, data: Uint8Array, offset?: number): void {
  for (let at = 0; at < data.length;)
    at += writeSync(fd, data, at, data.length - at, offset === undefined ? null : offset + at);
}

/** Gathers what goes into one reply, and says so when it is too much for one. */
export class ReplyBytes {
  readonly #parts: Uint8Array[] = [];
  readonly #room = new ReplyRoom();

  /** @throws DaemonError when it is more than one message holds */
  add(data: Uint8Array): void {
    this.#room.take(data.length);
    this.#parts.push(Uint8Array.prototype.slice.call(data));
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
