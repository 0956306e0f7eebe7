import { ProtocolError } from "./errors.ts";

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

/** Bytes that are decoded at once: as many arguments of `String.fromCharCode` are few enough for the stack. */
const blockSize = 4096;

function decodeInBlocks(bytes: Uint8Array): string {
  let text = "";
  for (let start = 0, end = 0; start < bytes.length; start = end) {
    end = Math.min(start + blockSize, bytes.length);
    // No character is cut.
    for (let back = 0; back < 3 && end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80; back++) end -= 1;
    text += isUtf8(bytes, start, end)
      ? strict.decode(bytes.subarray(start, end))
      : decodeWithEscapes(bytes, start, end);
  }
  return text;
}

function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end;) {
    const length = (bytes[at] as number) < 0x80 ? 1 : sequenceLength(bytes, at);
    if (length === 0) return false;
    at += length;
  }
  return true;
}

function decodeWithEscapes(bytes: Uint8Array, start: number, end: number): string {
  // No typed array: only of a plain one are arguments made fast.
  const units: number[] = [];
  for (let at = start; at < end;) {
    const length = sequenceLength(bytes, at);
    const code = length === 0 ? 0xdc00 + (bytes[at] as number) : codePoint(bytes, at, length);
    if (code > 0xffff) units.push(0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
    else units.push(code);
    at += length || 1;
  }
  return String.fromCharCode.apply(null, units);
}

/**
 * Bytes to text. Valid UTF-8 is decoded; any other byte B becomes the lone surrogate U+DC00 + B, so that
 * {@link encodeText} gives back the same bytes.
 * @throws ProtocolError when it is more than a string can hold
 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    // Most likely there are few bytes that are no UTF-8.
  }
  try {
    return decodeInBlocks(bytes);
  } catch (error) {
    throw new ProtocolError(`${bytes.length} bytes of text are more than a string can hold`, { cause: error });
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
