import koffi from "koffi";
import { closeSync, openSync } from "node:fs";
import { ioctl, ioctlNumber } from "./file.ts";
import { check } from "./system-error.ts";

// linux/random.h
const RNDADDENTROPY = 0x40085203;
const RNDRESEEDCRNG = 0x5207;
// time.h
const CLOCK_REALTIME = 0;
// sched.h
const SCHED_BATCH = 3;

const libc = koffi.load("libc.so.6");
const clockSettime = libc.func("clock_settime", "int", ["int", "void*"]) as (clock: number, time: Uint8Array) => number;
const schedSetscheduler = libc.func("sched_setscheduler", "int", ["int", "int", "void*"]) as (
  pid: number,
  policy: number,
  parameter: Uint8Array,
) => number;
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

/**
 * From now on this process, and those that it starts, do not take the processor from each other as soon as there is a byte to read
 * (sched(7), SCHED_BATCH): what one of them writes is read in large pieces.
 */
export function scheduleAsBatch(): void {
  check(schedSetscheduler(0, SCHED_BATCH, new Uint8Array(4)), "sched_setscheduler");
}

export function setHostName(name: Uint8Array): void {
  check(sethostname(name, name.length), "sethostname");
}

/** Writes at the beginning of an open file, in one system call. */
export function writeAtStart(fd: number, bytes: Uint8Array): void {
  check(pwrite(fd, bytes, bytes.length, 0), "pwrite");
}
