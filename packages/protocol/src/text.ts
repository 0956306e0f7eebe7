// File names in a guest are bytes, not text. A byte that is not part of valid UTF-8 becomes the lone
// surrogate U+DC00 + byte, so that every name survives the way through a JavaScript string and back.

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const loneSurrogate = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  const second = length > 1 ? (bytes[at + 1] as number) : 0x80;
  if (first === 0xe0 && second < 0xa0) return 0;
  if (first === 0xed && second > 0x9f) return 0;
  if (first === 0xf0 && second < 0x90) return 0;
  if (first === 0xf4 && second > 0x8f) return 0;
  for (let i = 1; i < length; i++) if (((bytes[at + i] as number) & 0xc0) !== 0x80) return 0;
  return length;
}

/** One sequence of UTF-8 as a code point. */
function codePoint(bytes: Uint8Array, at: number, length: number): number {
  let code = (bytes[at] as number) & (length === 1 ? 0x7f : 0x7f >> length);
  for (let i = 1; i < length; i++) code = (code << 6) | ((bytes[at + i] as number) & 0x3f);
  return code;
}

/** Arguments in one call of `String.fromCharCode`: few enough for the stack. */
const unitsPerCall = 4096;

function decodeWithEscapes(bytes: Uint8Array): string {
  const units = new Uint16Array(bytes.length);
  let end = 0;
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    const code = length === 0 ? 0xdc00 + (bytes[at] as number) : codePoint(bytes, at, length);
    if (code > 0xffff) {
      units[end++] = 0xd7c0 + (code >> 10);
      units[end++] = 0xdc00 + (code & 0x3ff);
    } else {
      units[end++] = code;
    }
    at += length || 1;
  }
  let text = "";
  for (let from = 0; from < end; from += unitsPerCall)
    text += String.fromCharCode(...units.subarray(from, Math.min(end, from + unitsPerCall)));
  return text;
}

/**
 * Bytes to text. Valid UTF-8 is decoded; any other byte B becomes the lone surrogate U+DC00 + B, so that
 * {@link encodeText} gives back the same bytes.
 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeWithEscapes(bytes);
  }
}

/**
 * Text to bytes: UTF-8, and U+DC80 to U+DCFF, where no high surrogate stands before it, as the single byte that
 * {@link decodeText} found there. Any other lone surrogate becomes U+FFFD, as in every UTF-8 encoder of JavaScript.
 */
export function encodeText(text: string): Uint8Array {
  if (!loneSurrogate.test(text)) return encoder.encode(text);
  const bytes = new Uint8Array(text.length * 3);
  let end = 0;
  let from = 0;
  const flush = (to: number): void => {
    if (to > from) end += encoder.encodeInto(text.slice(from, to), bytes.subarray(end)).written;
    from = to + 1;
  };
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0xdc80 || code > 0xdcff || isHighSurrogate(text.charCodeAt(at - 1))) continue;
    flush(at);
    bytes[end++] = code - 0xdc00;
  }
  flush(text.length);
  return bytes.slice(0, end);
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
