import { getSystemErrorName } from "node:util";
import koffi from "koffi";

const strerror = koffi.load("libc.so.6").func("strerror", "str", ["int"]) as (errno: number) => string;

const numbers = koffi.os.errno as Readonly<Record<string, number>>;

/** The C library's text for an error name: `ENOENT` to `No such file or directory`. */
export function errorText(code: string): string {
  const number = numbers[code];
  return number === undefined ? code : strerror(number);
}

/** A system call that failed. */
export class SystemError extends Error {
  override readonly name: string = "SystemError";
  /** symbolic name such as `ENOENT` */
  readonly code: string;
  readonly syscall: string;

  constructor(syscall: string, errno: number = koffi.errno()) {
    const code = getSystemErrorName(-errno);
    super(`${syscall}: ${errorText(code)}`);
    this.code = code;
    this.syscall = syscall;
  }
}

/** Throws when a system call returned -1. */
export function check(result: number, syscall: string): number {
  if (result < 0) throw new SystemError(syscall);
  return result;
}

/** Makes a system call, again when a signal interrupted it, and throws when it returned -1. */
export function uninterrupted(call: () => number, syscall: string): number {
  for (;;) {
    const result = call();
    if (result >= 0 || koffi.errno() !== numbers["EINTR"]) return check(result, syscall);
  }
}
