import koffi from "koffi";
import { borrowedCString, cString } from "./c-string.ts";
import { check } from "./system-error.ts";

const libc = koffi.load("libc.so.6");
const SYS_openat2 = 437;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_IN_ROOT = 0x10;

export const O_PATH = 0o10000000;
export const O_CLOEXEC = 0o2000000;
export const O_DIRECTORY = 0o200000;
export const O_NOFOLLOW = 0o400000;
export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_EMPTY_PATH = 0x1000;

type Path = Uint8Array;
const openat2 = libc.func("syscall", "long", ["long", "int", "void*", "void*", "size_t"]) as (
  number: number,
  directory: number,
  path: Path,
  how: Uint8Array,
  size: number,
) => number;

// struct open_how: flags, mode and resolve, 64 bits each.
const how = new Uint8Array(24);
const howView = new DataView(how.buffer);
howView.setUint32(16, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, true);

/**
 * openat2(2) with RESOLVE_IN_ROOT: no symlink, `..` or mount leads out of `root`.
 * @param root - descriptor of the folder that is `/` for the path
 */
export function openInRoot(root: number, path: string, flags: number, mode = 0): number {
  howView.setUint32(0, flags | O_CLOEXEC, true);
  howView.setUint32(8, mode, true);
  return check(openat2(SYS_openat2, root, borrowedCString(path), how, how.length), "openat2");
}

const openC = libc.func("open", "int", ["void*", "int"]) as (path: Path, flags: number) => number;
/**
 * open(2) of what is there already, closed on exec, at a fraction of the price of `fs.openSync`.
 * @throws SystemError
 */
export function openExisting(path: string, flags: number): number {
  return check(openC(borrowedCString(path), flags | O_CLOEXEC), "open");
}

/** {@link openExisting} of a folder to start from. */
export function openFolder(path: string): number {
  return openExisting(path, O_PATH | O_DIRECTORY);
}

const mknodC = libc.func("mknod", "int", ["void*", "uint", "uint64"]) as (
  path: Path,
  mode: number,
  device: bigint,
) => number;
/** mknod(2). */
export function mknod(path: string, mode: number, device: bigint): void {
  check(mknodC(cString(path), mode, device), "mknod");
}

const fallocateC = libc.func("fallocate", "int", ["int", "int", "int64", "int64"]) as (
  fd: number,
  mode: number,
  offset: number,
  length: number,
) => number;
/** fallocate(2). */
export function fallocate(fd: number, mode: number, offset: number, length: number): void {
  check(fallocateC(fd, mode, offset, length), "fallocate");
}

const lseekC = libc.func("lseek", "int64", ["int", "int64", "int"]) as (
  fd: number,
  offset: number,
  whence: number,
) => number | bigint;
/** lseek(2); whence 0 set, 1 current, 2 end, 3 data, 4 hole. */
export function lseek(fd: number, offset: number, whence: number): number {
  return check(Number(lseekC(fd, offset, whence)), "lseek");
}

const ioctlC = libc.func("ioctl", "int", ["int", "ulong", "void*"]) as (
  fd: number,
  request: number,
  data: Uint8Array | null,
) => number;
/** ioctl(2) whose argument is a block of memory. */
export function ioctl(fd: number, request: number, data: Uint8Array | null): number {
  return check(ioctlC(fd, request, data), "ioctl");
}

const ioctlNumberC = libc.func("ioctl", "int", ["int", "ulong", "long"]) as (
  fd: number,
  request: number,
  value: number,
) => number;
/** ioctl(2) whose argument is a number. */
export function ioctlNumber(fd: number, request: number, value: number): number {
  return check(ioctlNumberC(fd, request, value), "ioctl");
}

const utimensatC = libc.func("utimensat", "int", ["int", "void*", "void*", "int"]) as (
  directory: number,
  path: Path,
  times: BigInt64Array,
  flags: number,
) => number;
/** utimensat(2); times are seconds and nanoseconds of access, then of modification. */
export function utimensat(path: string, times: BigInt64Array, flags: number): void {
  check(utimensatC(AT_FDCWD, cString(path), times, flags), "utimensat");
}

const statvfsC = libc.func("statvfs", "int", ["void*", "void*"]) as (path: Path, result: BigUint64Array) => number;
/** statvfs(3): bsize, frsize, blocks, bfree, bavail, files, ffree, favail, fsid, flag, namemax. */
export function statvfs(path: string): bigint[] {
  const result = new BigUint64Array(14);
  check(statvfsC(cString(path), result), "statvfs");
  return Array.from(result.subarray(0, 11));
}

const syncfsC = libc.func("syncfs", "int", ["int"]) as (fd: number) => number;
/** syncfs(2): unlike sync(2), it tells when something could not be written. */
export function syncFilesystem(fd: number): void {
  check(syncfsC(fd), "syncfs");
}

const sync = libc.func("sync", "void", []) as () => void;
/** sync(2). */
export { sync };

const fcntlC = libc.func("fcntl", "int", ["int", "int", "long"]) as (
  fd: number,
  command: number,
  argument: number,
) => number;
const F_GETFL = 3;
const F_SETFL = 4;
/** fcntl(2), F_GETFL. */
export function statusFlags(fd: number): number {
  return check(fcntlC(fd, F_GETFL, 0), "fcntl");
}

/** fcntl(2), F_SETFL. */
export function setStatusFlags(fd: number, flags: number): void {
  check(fcntlC(fd, F_SETFL, flags), "fcntl");
}
