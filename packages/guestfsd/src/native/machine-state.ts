import koffi from "koffi";
import { closeSync, openSync } from "node:fs";
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
const pwrite = libc.func("pwrite", "long", ["int", "void*", "size_t", "long"]) as (
  fd: number,
  bytes: Uint8Array,
  length: number,
  offset: number,
) => number;

/** The kernel's random generator, held open. */
export class KernelRandom {
  readonly #fd = openSync("/dev/urandom", "r+");

  /** Gives it a seed (struct rand_pool_info) and makes it forget what it would have given without. */
  reseed(pool: Uint8Array): void {
    ioctl(this.#fd, RNDADDENTROPY, pool);
    ioctlNumber(this.#fd, RNDRESEEDCRNG, 0);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Sets the clock to a struct timespec. */
export function setClock(time: Uint8Array): void {
  check(clockSettime(CLOCK_REALTIME, time), "clock_settime");
}

export function setHostName(name: Uint8Array): void {
  check(sethostname(name, name.length), "sethostname");
}

/** Writes at the beginning of an open file, in one system call. */
export function writeAtStart(fd: number, bytes: Uint8Array): void {
  check(pwrite(fd, bytes, bytes.length, 0), "pwrite");
}
