import { closeSync, constants, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { encodeText, messageMax } from "@guestfs/protocol";
import { blocksOf, withContent, withSource, writeAll } from "../content.ts";
import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { fallocate } from "../native/file.ts";
import { checksumOf, checksumTree } from "./checksum.ts";

const write = constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK;
const create = write | constants.O_CREAT | constants.O_TRUNC;
const blockSize = 1024 * 1024;
/** One number on Linux, with two names. */
const unsupported = new Set(["EOPNOTSUPP", "ENOTSUP"]);

function checkNotNegative(name: string, value: number, errno = ""): void {
  if (value < 0) throw new DaemonError(`${name} is negative`, errno);
}

/** Makes a file of `length` bytes that repeat a pattern. */
function fillWith(context: Context, path: string, pattern: Uint8Array, length: number): void {
  checkNotNegative("len", length);
  // Whole patterns, so that every block goes on where the one before it ended.
  const copies = Math.max(1, Math.floor(Math.min(blockSize, length) / pattern.length));
  const block = Buffer.alloc(copies * pattern.length, pattern);
  const fill = (fd: number): void => {
    for (let done = 0; done < length;) {
      const part = block.subarray(0, length - done);
      writeAll(fd, part);
      done += part.length;
      context.progress(done, length);
    }
  };
  context.sysroot.withOpen(path, create, fill, 0o666);
}

function allocate(context: Context, path: string, length: number): void {
  checkNotNegative("len", length, "EINVAL");
  const fill = (fd: number): void => {
    try {
      fallocate(fd, 0, 0, length);
    } catch (error) {
      if (!unsupported.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
      const zeros = Buffer.alloc(blockSize);
      for (let done = 0; done < length; done += blockSize) {
        writeAll(fd, zeros.subarray(0, length - done));
        context.pulse();
      }
    }
  };
  context.sysroot.withOpen(path, create, fill, 0o666);
}

/** Whether a descriptor holds nothing but zero bytes from its place on. */
export function holdsOnlyZeros(fd: number, pulse: () => void): boolean {
  let zeros = Buffer.alloc(0);
  for (const block of blocksOf(fd, pulse)) {
    if (zeros.length < block.length) zeros = Buffer.alloc(block.length);
    if (block.compare(zeros, 0, block.length) !== 0) return false;
  }
  return true;
}

/** Reads up to `count` bytes from an offset on; fewer only at the end. */
export function readAt(fd: number, count: number, offset: number): Uint8Array {
  checkNotNegative("count", count);
  checkNotNegative("offset", offset);
  if (count >= messageMax)
    throw new DaemonError(`count is ${count}, and one message holds fewer than ${messageMax} bytes`);
  const data = Buffer.allocUnsafe(count);
  let length = 0;
  while (length < count) {
    const got = readSync(fd, data, length, count - length, offset + length);
    if (got === 0) break;
    length += got;
  }
  return data.subarray(0, length);
}

/** Zeroes the start of a device, where filesystems and partition tables have their marks; blocks of zeros stay untouched. */
function zeroStart(context: Context, device: string): void {
  const [count, size] = [32, 4096];
  const [block, zeros] = [Buffer.alloc(size), Buffer.alloc(size)];
  const fd = openSync(device, constants.O_RDWR);
  try {
    for (let i = 0; i < count; i++) {
      const length = readSync(fd, block, 0, size, i * size);
      if (length === 0) break;
      if (block.compare(zeros, 0, length, 0, length) !== 0) writeAll(fd, zeros.subarray(0, length), i * size);
      context.progress(i + 1, count);
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function filesAreEqual(context: Context, file1: string, file2: string): boolean {
  return withContent(context, file1, (a, statA) =>
    withContent(context, file2, (b, statB) => {
      if (statA.ino === statB.ino && statA.dev === statB.dev) return true;
      // What /proc holds has a size of 0 and content.
      if (statA.size !== statB.size && statA.size > 0 && statB.size > 0) return false;
      let at = 0;
      for (const block of blocksOf(a, context.pulse)) {
        const other = readAt(b, block.length, at);
        if (block.compare(other) !== 0) return false;
        at += block.length;
      }
      return readAt(b, 1, at).length === 0;
    }),
  );
}

type Names =
  | "checksum"
  | "checksums_out"
  | "equal"
  | "fallocate"
  | "fallocate64"
  | "fill"
  | "fill_pattern"
  | "is_zero"
  | "pread"
  | "pwrite"
  | "truncate"
  | "truncate_size"
  | "write_file"
  | "zero";

/** What is in a file. */
export const fileContent: Pick<HandlersOf<"file">, Names> = {
  checksum: ({ csumtype, path }, context) =>
    withContent(context, path, (fd) => checksumOf(csumtype, fd, context.pulse)),
  checksums_out({ csumtype, directory }, context) {
    checksumTree(csumtype, directory, context);
  },
  equal: ({ file1, file2 }, context) => filesAreEqual(context, file1, file2),
  fallocate: ({ path, len }, context) => allocate(context, path, len),
  fallocate64: ({ path, len }, context) => allocate(context, path, len),
  fill({ c, len, path }, context) {
    if (c < 0 || c > 255) throw new DaemonError(`${c}: a byte is 0 to 255`);
    fillWith(context, path, Uint8Array.of(c), len);
  },
  fill_pattern({ pattern, len, path }, context) {
    if (pattern === "") throw new DaemonError("the pattern is empty");
    fillWith(context, path, encodeText(pattern), len);
  },
  is_zero: ({ path }, context) => withContent(context, path, (fd) => holdsOnlyZeros(fd, context.pulse)),
  pread: ({ path, count, offset }, context) => withSource(context, path, (fd) => readAt(fd, count, offset)),
  pwrite({ path, content, offset }, context) {
    checkNotNegative("offset", offset);
    return context.sysroot.withOpen(path, write, (fd) => writeSync(fd, content, 0, content.length, offset));
  },
  truncate({ path }, context) {
    context.sysroot.withOpen(path, write, (fd) => ftruncateSync(fd, 0));
  },
  truncate_size({ path, size }, context) {
    checkNotNegative("size", size, "EINVAL");
    context.sysroot.withOpen(path, write, (fd) => ftruncateSync(fd, size));
  },
  write_file({ path, content, size }, context) {
    const bytes = encodeText(content);
    if (size < 0 || size > bytes.length)
      throw new DaemonError(`size is ${size}, and the content has ${bytes.length} bytes`);
    context.sysroot.withOpen(path, create, (fd) => writeAll(fd, size === 0 ? bytes : bytes.subarray(0, size)), 0o666);
  },
  zero: ({ device }, context) => zeroStart(context, device),
};
