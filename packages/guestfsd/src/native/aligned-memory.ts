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
const MAP_PRIVATE_ANONYMOUS = 0x22;
const MAP_FAILED = 0xffffffffffffffffn;

/** Memory that begins on a page, as O_DIRECT wants it. It stays for the life of the process. */
export function alignedMemory(length: number): Uint8Array {
  const pointer = mmap(null, length, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
  if (pointer === MAP_FAILED) throw new SystemError("mmap");
  return new Uint8Array(koffi.view(pointer, length));
}
