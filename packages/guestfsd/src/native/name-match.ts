import koffi from "koffi";
import { cString } from "./c-string.ts";

const fnmatch = koffi.load("libc.so.6").func("fnmatch", "int", ["void*", "void*", "int"]) as (
  pattern: Uint8Array,
  name: Uint8Array,
  flags: number,
) => number;
const FNM_PERIOD = 4;

/** fnmatch(3) on one path element: a leading dot is matched only by a dot. */
export function nameMatcher(pattern: string): (name: Uint8Array) => boolean {
  const compiled = cString(pattern);
  const zero = Buffer.alloc(1);
  return (name) => fnmatch(compiled, Buffer.concat([name, zero]), FNM_PERIOD) === 0;
}
