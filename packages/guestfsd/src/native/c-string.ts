import { encodeText } from "@guestfs/protocol";

/** Text as a C string; names that are not UTF-8 keep their bytes. */
export function cString(text: string): Uint8Array {
  return encodeText(`${text}\0`);
}

// PATH_MAX of linux/limits.h
const borrowed = new Uint8Array(4096);

/**
 * {@link cString} for a system call that takes one path: what it gives is overwritten when it is called next. To make memory that a
 * system call can use costs V8 as much as some calls take.
 */
export function borrowedCString(text: string): Uint8Array {
  const { length } = text;
  if (length >= borrowed.length) return cString(text);
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) return cString(text);
    borrowed[at] = code;
  }
  borrowed[length] = 0;
  return borrowed;
}
