import { decodeText } from "@guestfs/protocol";
import koffi from "koffi";

/** An address in memory that a C library gave. */
export type Pointer = bigint;

const libc = koffi.load("libc.so.6");
const strlen = libc.func("strlen", "size_t", ["void*"]) as (text: Pointer) => number | bigint;
const memcpy = libc.func("memcpy", "void*", ["void*", "void*", "size_t"]) as (
  target: Uint8Array | BigUint64Array,
  source: Pointer,
  length: number,
) => Pointer;
const freeC = libc.func("free", "void", ["void*"]) as (pointer: Pointer) => void;

/** free(3). */
export function freePointer(pointer: Pointer): void {
  freeC(pointer);
}

/** A copy of memory. */
export function bytesAt(pointer: Pointer, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  if (length > 0) memcpy(bytes, pointer, length);
  return bytes;
}

const short = new Uint8Array(256);

/** A copy of a C string. */
export function textAt(pointer: Pointer): string {
  const length = Number(strlen(pointer));
  if (length > short.length) return decodeText(bytesAt(pointer, length));
  memcpy(short, pointer, length);
  return decodeText(short.subarray(0, length));
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
  const words = new BigUint64Array(count);
  if (count > 0) memcpy(words, pointer, words.byteLength);
  return words;
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
