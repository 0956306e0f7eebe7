import koffi from "koffi";
import type { Pointer } from "./pointer.ts";
import { SystemError } from "./system-error.ts";

const mmap = koffi.load("libc.so.6").func("mmap", "void*", ["void*", "size_t", "int", "int", "int", "int64"]) as (
  address: null,
  length: number,
  protection: number,
  flags: number,
  fd: number,
  offset: number,
) => Pointer;

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const MAP_FAILED = 0xffffffffffffffffn;

function map(length: number, flags: number, fd: number): Uint8Array {
  const pointer = mmap(null, length, PROT_READ_WRITE, flags, fd, 0);
  if (pointer === MAP_FAILED) throw new SystemError("mmap");
  return new Uint8Array(koffi.view(pointer, length));
}

/** Memory that begins on a page, as O_DIRECT wants it. It stays for the life of the process. */
export function alignedMemory(length: number): Uint8Array {
  return map(length, MAP_PRIVATE_ANONYMOUS, -1);
}

/**
 * The first bytes of a file: what is written there is in the file. For the life of the process.
 * @param fd - opened for reading and writing; may be closed afterwards
 * @param length - no longer than the file
 */
export function mappedFile(fd: number, length: number): Uint8Array {
  return map(length, MAP_SHARED, fd);
}
