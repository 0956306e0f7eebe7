import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import type { Context } from "./context.ts";
import { DaemonError } from "./daemon-error.ts";
import { deviceSize } from "./native/block.ts";

/** Which bytes are copied, and how. */
export interface CopyOptions {
  readonly srcoffset?: number | undefined;
  readonly destoffset?: number | undefined;
  readonly size?: number | undefined;
  readonly sparse?: boolean | undefined;
  readonly append?: boolean | undefined;
}

const blockSize = 1024 * 1024;
const sparseUnit = 4096;
const zeros = Buffer.alloc(blockSize);

/** Whether all bytes are zero. */
export function isZero(data: Uint8Array): boolean {
  for (let at = 0; at < data.length; at += zeros.length) {
    const part = data.subarray(at, at + zeros.length);
    if (zeros.compare(part, 0, part.length, 0, part.length) !== 0) return false;
  }
  return true;
}

function sizeOf(fd: number): number | undefined {
  const stat = fstatSync(fd);
  if (stat.isBlockDevice()) return deviceSize(fd);
  return stat.isFile() ? stat.size : undefined;
}

function writeBlock(fd: number, data: Buffer, offset: number, sparse: boolean): void {
  const unit = sparse ? sparseUnit : data.length;
  for (let at = 0; at < data.length; at += unit) {
    const part = data.subarray(at, at + unit);
    if (sparse && isZero(part)) continue;
    for (let done = 0; done < part.length;) done += writeSync(fd, part, done, part.length - done, offset + at + done);
  }
}

function copyDescriptor(context: Context, from: number, to: number, source: string, options: CopyOptions): void {
  const start = options.srcoffset ?? 0;
  const available = sizeOf(from);
  const total = options.size ?? (available === undefined ? undefined : Math.max(available - start, 0));
  const toFile = fstatSync(to).isFile();
  const offset = options.append ? fstatSync(to).size : (options.destoffset ?? 0);
  const buffer = Buffer.allocUnsafe(blockSize);
  let done = 0;
  while (options.size === undefined || done < options.size) {
    const length = readSync(from, buffer, 0, Math.min(blockSize, (options.size ?? Infinity) - done), start + done);
    if (length === 0) break;
    writeBlock(to, buffer.subarray(0, length), offset + done, options.sparse ?? false);
    done += length;
    if (total === undefined) context.pulse();
    else context.progress(done, Math.max(total, done));
  }
  if (options.size !== undefined && done < options.size)
    throw new DaemonError(`${source}: only ${done} of the ${options.size} bytes wanted are there`, "EINVAL");
  // Zeroes at the end that were not written still count.
  if (options.sparse && toFile && fstatSync(to).size < offset + done) ftruncateSync(to, offset + done);
}

/** One end of a copy. */
export interface CopyEnd {
  readonly path: string;
  readonly isDevice: boolean;
}

function withEnd<T>(context: Context, end: CopyEnd, flags: number, use: (fd: number) => T): T {
  // openat2(2) refuses a mode for a file that is not to be made.
  const mode = flags & constants.O_CREAT ? 0o666 : 0;
  const neverWait = constants.O_NONBLOCK | constants.O_NOCTTY;
  if (!end.isDevice) return context.sysroot.withOpen(end.path, flags | neverWait, use, mode);
  const fd = openSync(end.path, (flags & ~constants.O_CREAT) | neverWait);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** Copies bytes from a file or device to another. A file that is written is made when it is missing and emptied first, unless bytes are appended. */
export function copyData(context: Context, source: CopyEnd, target: CopyEnd, options: CopyOptions): void {
  for (const name of ["srcoffset", "destoffset", "size"] as const)
    if ((options[name] ?? 0) < 0) throw new DaemonError(`${name} is ${options[name]}: it can't be negative`, "EINVAL");
  if (options.append && target.isDevice)
    throw new DaemonError(`${target.path}: nothing can be appended to a device`, "EINVAL");
  withEnd(context, source, constants.O_RDONLY, (from) =>
    withEnd(context, target, constants.O_WRONLY | constants.O_CREAT, (to) => {
      const [fromStat, toStat] = [fstatSync(from), fstatSync(to)];
      if (fromStat.isFile() && fromStat.ino === toStat.ino && fromStat.dev === toStat.dev)
        throw new DaemonError(`${source.path} and ${target.path} are the same file`, "EINVAL");
      if (toStat.isFile() && !options.append) ftruncateSync(to, 0);
      copyDescriptor(context, from, to, source.path, options);
    }),
  );
}
