import koffi from "koffi";
import { freePointer } from "./pointer.ts";
import type { Pointer } from "./pointer.ts";

const libc = koffi.load("libc.so.6");
const malloc = libc.func("malloc", "void*", ["size_t"]) as (size: number) => Pointer | null;
const memset = libc.func("memset", "void*", ["void*", "int", "size_t"]) as (
  memory: Pointer,
  byte: number,
  size: number,
) => Pointer;

// Less than glibc gives back (mallopt(3), M_TRIM_THRESHOLD).
const touched = 96 * 1024;

/** Has the kernel give the C library's heap the pages that it will use next: to get one costs a clone 400 blocks for TCG to translate. */
export function touchHeap(): void {
  const memory = malloc(touched);
  if (memory === null) return;
  memset(memory, 1, touched);
  freePointer(memory);
}
