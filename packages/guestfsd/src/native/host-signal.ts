import { readSync } from "node:fs";
import koffi from "koffi";
import { check } from "./system-error.ts";

// A real-time signal: each one is kept, where two of an ordinary one become one. Nobody else in this process uses it.
const signalNumber = 40;
const SIGIO = 29;
const SIG_BLOCK = 0;
const F_GETFL = 3;
const F_SETFL = 4;
const F_SETSIG = 10;
const F_SETOWN_EX = 15;
const F_OWNER_TID = 0;
const O_ASYNC = 0o20000;
const SFD_FLAGS = 0o2004000;
const infoSize = 128;

function signalSet(...signals: readonly number[]): Uint8Array {
  const set = new Uint8Array(128);
  for (const signal of signals) set[(signal - 1) >> 3] = (set[(signal - 1) >> 3] as number) | (1 << ((signal - 1) & 7));
  return set;
}

/**
 * Has the kernel queue a signal for every event of a descriptor (fcntl(2), O_ASYNC), to be counted rather than acted on.
 * The signals go to this thread alone, and it has them blocked.
 * @returns a descriptor that is readable while there are some; see {@link takeSignals}
 */
export function queueSignals(fd: number): number {
  const libc = koffi.load("libc.so.6");
  const mask = libc.func("pthread_sigmask", "int", ["int", "void*", "void*"]) as (
    how: number,
    set: Uint8Array,
    old: null,
  ) => number;
  const signalfd = libc.func("signalfd", "int", ["int", "void*", "int"]) as (
    fd: number,
    set: Uint8Array,
    flags: number,
  ) => number;
  const gettid = libc.func("gettid", "int", []) as () => number;
  const control = libc.func("fcntl", "int", ["int", "int", "long"]) as (
    fd: number,
    command: number,
    value: number,
  ) => number;
  const controlOwner = libc.func("fcntl", "int", ["int", "int", "void*"]) as (
    fd: number,
    command: number,
    owner: Int32Array,
  ) => number;
  // When its queue is full the kernel sends SIGIO instead, whose default is to end the process.
  mask(SIG_BLOCK, signalSet(signalNumber, SIGIO), null);
  const signals = check(signalfd(-1, signalSet(signalNumber, SIGIO), SFD_FLAGS), "signalfd");
  check(controlOwner(fd, F_SETOWN_EX, Int32Array.of(F_OWNER_TID, gettid())), "fcntl");
  check(control(fd, F_SETSIG, signalNumber), "fcntl");
  check(control(fd, F_SETFL, check(control(fd, F_GETFL, 0), "fcntl") | O_ASYNC), "fcntl");
  return signals;
}

const infos = new Uint8Array(64 * infoSize);

/** Takes signals off a descriptor that is readable. @returns how many */
export function takeSignals(signals: number): number {
  return readSync(signals, infos, 0, infos.length, null) / infoSize;
}
