import { decodeText } from "@guestfs/protocol";
import koffi from "koffi";

/** An address in memory that a C library gave. */
export type Pointer = bigint;

const libc = koffi.load("libc.so.6");
const strlen = libc.func("strlen", "size_t", ["void*"]) as (text: Pointer) => number | bigint;
const freeC = libc.func("free", "void", ["void*"]) as (pointer: Pointer) => void;

/** free(3). */
export function freePointer(pointer: Pointer): void {
  freeC(pointer);
}

/** A copy of memory. */
export function bytesAt(pointer: Pointer, length: number): Uint8Array {
  return length === 0 ? new Uint8Array(0) : new Uint8Array(koffi.view(pointer, length)).slice();
}

/** A copy of a C string. */
export function textAt(pointer: Pointer): string {
  return decodeText(bytesAt(pointer, Number(strlen(pointer))));
}

/** A copy of a C string that is ours to free; it is freed. */
export function takeText(pointer: Pointer): string {
  try {
    return textAt(pointer);
  } finally {
    freePointer(pointer);
  }
}

/** A copy of `count` words of 64 bits. */
export function wordsAt(pointer: Pointer, count: number): BigUint64Array {
  return count === 0 ? new BigUint64Array(0) : new BigUint64Array(koffi.view(pointer, count * 8)).slice();
}

/** A copy of words of 64 bits up to a zero, in memory that is ours to free; it is freed. */
export function takeWords(pointer: Pointer): bigint[] {
  const words: bigint[] = [];
  try {
    for (;;) {
      const word = wordsAt(pointer + BigInt(words.length * 8), 1)[0] as bigint;
      if (word === 0n) return words;
      words.push(word);
    }
  } finally {
    freePointer(pointer);
  }
}
