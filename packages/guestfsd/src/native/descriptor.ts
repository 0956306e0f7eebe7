import koffi from "koffi";
import { check } from "./system-error.ts";

const { EAGAIN } = koffi.os.errno as { readonly EAGAIN: number };

const writeC = koffi.load("libc.so.6").func("write", "long", ["int", "void*", "size_t"]) as (
  fd: number,
  bytes: Uint8Array,
  count: number,
) => number;

/**
 * write(2) on a descriptor opened with O_NONBLOCK, at a fraction of the price of `fs.writeSync` where it has to wait.
 * @returns bytes written; 0 when it would have had to wait
 */
export function writeNow(fd: number, bytes: Uint8Array): number {
  const count = writeC(fd, bytes, bytes.length);
  return count < 0 && koffi.errno() === EAGAIN ? 0 : check(count, "write");
}
