import { encodeText } from "@guestfs/protocol";

/** Text as a C string; names that are not UTF-8 keep their bytes. */
export function cString(text: string): Uint8Array {
  const bytes = encodeText(text);
  const terminated = new Uint8Array(bytes.length + 1);
  terminated.set(bytes);
  return terminated;
}
