import { encodeText } from "@guestfs/protocol";

/** Text as a C string; names that are not UTF-8 keep their bytes. */
export function cString(text: string): Uint8Array {
  return encodeText(`${text}\0`);
}

// PATH_MAX of linux/limits.h
const placeSize = 4096;

/**
 * Where a system call's text stands as a C string. To make memory that a system call can use costs V8 as much as some calls take, so
 * that the same is used again and again.
 */
export class TextPlace {
  readonly #bytes = new Uint8Array(placeSize);

  /** {@link cString}; what it gives is overwritten when it is called next. */
  cString(text: string): Uint8Array {
    const { length } = text;
    const bytes = this.#bytes;
    if (length >= placeSize) return cString(text);
    for (let at = 0; at < length; at++) {
      const code = text.charCodeAt(at);
      if (code > 0x7f) return cString(text);
      bytes[at] = code;
    }
    bytes[length] = 0;
    return bytes;
  }
}

const only = new TextPlace();

/** {@link cString} for a system call that takes one path: what it gives is overwritten when it is called next. */
export function borrowedCString(text: string): Uint8Array {
  return only.cString(text);
}
