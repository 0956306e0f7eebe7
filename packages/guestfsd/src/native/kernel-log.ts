import koffi from "koffi";
import { check } from "./system-error.ts";

const klogctl = koffi.load("libc.so.6").func("klogctl", "int", ["int", "void*", "int"]) as (
  action: number,
  buffer: Uint8Array | null,
  length: number,
) => number;
const SYSLOG_ACTION_READ_ALL = 3;
const SYSLOG_ACTION_SIZE_BUFFER = 10;

/** syslog(2): all that the kernel's ring of messages holds, each line behind its `<priority>`. */
export function readKernelLog(): Uint8Array {
  const size = check(klogctl(SYSLOG_ACTION_SIZE_BUFFER, null, 0), "syslog");
  const buffer = new Uint8Array(size);
  return buffer.subarray(0, check(klogctl(SYSLOG_ACTION_READ_ALL, buffer, size), "syslog"));
}
