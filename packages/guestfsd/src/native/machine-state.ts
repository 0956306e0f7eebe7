import koffi from "koffi";
import { closeSync, openSync } from "node:fs";
import { cString } from "./c-string.ts";
import { ioctl, ioctlNumber } from "./file.ts";
import { check } from "./system-error.ts";

// linux/random.h
const RNDADDENTROPY = 0x40085203;
const RNDRESEEDCRNG = 0x5207;
// time.h
const CLOCK_REALTIME = 0;

const libc = koffi.load("libc.so.6");
const clockSettime = libc.func("clock_settime", "int", ["int", "void*"]) as (clock: number, time: Uint8Array) => number;
const sethostname = libc.func("sethostname", "int", ["void*", "size_t"]) as (
  name: Uint8Array,
  length: number,
) => number;

/** Gives the kernel's random generator a seed that counts in full, and makes it forget what it would have given without. */
export function reseedKernel(seed: Uint8Array): void {
  // struct rand_pool_info: bits, bytes, the bytes
  const pool = new Uint8Array(8 + seed.length);
  const view = new DataView(pool.buffer);
  view.setInt32(0, seed.length * 8, true);
  view.setInt32(4, seed.length, true);
  pool.set(seed, 8);
  const fd = openSync("/dev/urandom", "r+");
  try {
    ioctl(fd, RNDADDENTROPY, pool);
    ioctlNumber(fd, RNDRESEEDCRNG, 0);
  } finally {
    closeSync(fd);
  }
}

/** Sets the clock; nanoseconds since 1970. */
export function setClock(nanoseconds: bigint): void {
  const time = new Uint8Array(new BigInt64Array([nanoseconds / 1_000_000_000n, nanoseconds % 1_000_000_000n]).buffer);
  check(clockSettime(CLOCK_REALTIME, time), "clock_settime");
}

export function setHostName(name: string): void {
  const text = cString(name);
  check(sethostname(text, text.length - 1), "sethostname");
}
