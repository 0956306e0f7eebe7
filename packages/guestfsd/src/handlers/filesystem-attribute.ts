import { randomBytes } from "../random.ts";
import { constants, closeSync, fsyncSync, openSync, unlinkSync, writeSync } from "node:fs";
import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { trimFilesystem } from "../native/block.ts";
import { ioctl, O_DIRECTORY, statvfs } from "../native/file.ts";
import { descriptorPath } from "../sysroot.ts";

type AttributeCalls =
  | "fstrim"
  | "get_e2attrs"
  | "get_e2generation"
  | "set_e2attrs"
  | "set_e2generation"
  | "zero_free_space";

const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;
const FS_IOC_GETVERSION = 0x80087601;
const FS_IOC_SETVERSION = 0x40087602;

/** Letters of lsattr(1), by the FS_*_FL of linux/fs.h. */
const letters: Readonly<Record<string, number>> = {
  s: 0x1,
  u: 0x2,
  c: 0x4,
  S: 0x8,
  i: 0x10,
  a: 0x20,
  d: 0x40,
  A: 0x80,
  B: 0x200,
  Z: 0x400,
  X: 0x100,
  E: 0x800,
  I: 0x1000,
  j: 0x4000,
  t: 0x8000,
  D: 0x10000,
  T: 0x20000,
  h: 0x40000,
  e: 0x80000,
  V: 0x100000,
  C: 0x800000,
  x: 0x2000000,
  N: 0x10000000,
  P: 0x20000000,
  F: 0x40000000,
};
/** Those that chattr(1) sets. */
const settable = "aAcCdDeijPsStTuFx";

const openFlags = constants.O_RDONLY | constants.O_NONBLOCK;
const zeros = Buffer.alloc(1024 * 1024);

function getLong(fd: number, request: number): number {
  const value = new Uint8Array(8);
  ioctl(fd, request, value);
  return new DataView(value.buffer).getUint32(0, true);
}

function setLong(fd: number, request: number, number: number): void {
  const value = new Uint8Array(8);
  new DataView(value.buffer).setUint32(0, number >>> 0, true);
  ioctl(fd, request, value);
}

function parseLetters(attrs: string): number {
  let flags = 0;
  for (const [index, letter] of [...attrs].entries()) {
    if (!settable.includes(letter)) throw new DaemonError(`'${letter}' is no attribute that can be set`, "EINVAL");
    if (attrs.indexOf(letter) !== index) throw new DaemonError(`the attribute '${letter}' is given twice`, "EINVAL");
    flags |= letters[letter] ?? 0;
  }
  return flags;
}

function fill(context: Context, directory: number, fd: number): void {
  const [, fragment = 0n, , , available = 0n] = statvfs(descriptorPath(directory));
  const total = Number(fragment * available);
  for (let done = 0; ; context.progress(Math.min(done, total), total)) {
    try {
      done += writeSync(fd, zeros);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // EFBIG: the filesystem has more room than one file may have.
      if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG") break;
      throw error;
    }
  }
  context.progress(total, total);
}

function zeroFreeSpace(context: Context, directory: number): void {
  const path = `${descriptorPath(directory)}/.zero-${randomBytes(8).toString("hex")}`;
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    fill(context, directory, fd);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
    unlinkSync(path);
  }
}

/** Attributes of files in ext filesystems, and free space. */
export const filesystemAttribute: Pick<HandlersOf<"filesystem">, AttributeCalls> = {
  get_e2attrs: ({ file }, context) =>
    context.sysroot.withOpen(file, openFlags, (fd) => {
      const flags = getLong(fd, FS_IOC_GETFLAGS);
      return Object.keys(letters)
        .filter((letter) => flags & (letters[letter] ?? 0))
        .toSorted()
        .join("");
    }),
  set_e2attrs({ file, attrs, clear }, context) {
    const wanted = parseLetters(attrs);
    context.sysroot.withOpen(file, openFlags, (fd) => {
      const flags = getLong(fd, FS_IOC_GETFLAGS);
      setLong(fd, FS_IOC_SETFLAGS, clear ? flags & ~wanted : flags | wanted);
    });
  },
  get_e2generation: ({ file }, context) =>
    context.sysroot.withOpen(file, openFlags, (fd) => getLong(fd, FS_IOC_GETVERSION)),
  set_e2generation({ file, generation }, context) {
    context.sysroot.withOpen(file, openFlags, (fd) => setLong(fd, FS_IOC_SETVERSION, generation));
  },
  fstrim({ mountpoint, offset, length, minimumfreeextent }, context) {
    for (const number of [offset, length, minimumfreeextent])
      if (number !== undefined && number < 0) throw new DaemonError(`${number}: can't be negative`, "EINVAL");
    const all = (1n << 64n) - 1n;
    context.sysroot.withOpen(mountpoint, constants.O_RDONLY | O_DIRECTORY, (fd) =>
      trimFilesystem(
        fd,
        BigInt(offset ?? 0),
        length === undefined ? all : BigInt(length),
        BigInt(minimumfreeextent ?? 0),
      ),
    );
  },
  zero_free_space({ directory }, context) {
    context.sysroot.withOpen(directory, constants.O_RDONLY | O_DIRECTORY, (fd) => zeroFreeSpace(context, fd));
  },
};
