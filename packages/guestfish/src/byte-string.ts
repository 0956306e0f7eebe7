/**
 * Text of a script or of the command line in which each character stands for one byte (0 to 255), so
 * that `"\xff"` and names that are no UTF-8 keep their bytes until it is known what the word is for.
 */
export type ByteString = string;

/** The bytes of ordinary text in UTF-8. */
export function fromText(text: string): ByteString {
  return isAscii(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

/** The text that bytes in UTF-8 spell; what is no UTF-8 becomes U+FFFD. */
export function toText(bytes: ByteString): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, "latin1").toString("utf8");
}

/** The bytes themselves. */
export function toBytes(bytes: ByteString): Uint8Array {
  return Buffer.from(bytes, "latin1");
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}
