import { ImageHeaderError } from "./image-header-error.ts";
import type { ImageFormat } from "./image-header-error.ts";

/** Bounded reads from an image's prefix: what lies outside is an {@link ImageHeaderError}. */
export class HeaderBytes {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #format: ImageFormat;
  readonly #littleEndian: boolean;

  constructor(bytes: Uint8Array, format: ImageFormat, byteOrder: "big" | "little") {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#format = format;
    this.#littleEndian = byteOrder === "little";
  }

  fail(problem: string): never {
    throw new ImageHeaderError(this.#format, problem);
  }

  #check(offset: number, length: number, what: string): void {
    if (!Number.isSafeInteger(offset) || offset < 0 || length < 0 || offset + length > this.bytes.length) {
      this.fail(`${what} lies outside the header`);
    }
  }

  u16(offset: number, what: string): number {
    this.#check(offset, 2, what);
    return this.#view.getUint16(offset, this.#littleEndian);
  }

  u32(offset: number, what: string): number {
    this.#check(offset, 4, what);
    return this.#view.getUint32(offset, this.#littleEndian);
  }

  u64(offset: number, what: string): bigint {
    this.#check(offset, 8, what);
    return this.#view.getBigUint64(offset, this.#littleEndian);
  }

  slice(offset: number, length: number, what: string): Uint8Array {
    this.#check(offset, length, what);
    return this.bytes.subarray(offset, offset + length);
  }

  /** Bytes as text; what is not UTF-8 becomes U+FFFD. */
  text(offset: number, length: number, what: string): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.slice(offset, length, what));
  }
}

/** Whether `bytes` holds `magic` (byte values) at `offset`. */
export function hasMagic(bytes: Uint8Array, magic: readonly number[], offset = 0): boolean {
  return bytes.length >= offset + magic.length && magic.every((byte, i) => bytes[offset + i] === byte);
}

/** The bytes of an ASCII string. */
export function ascii(text: string): readonly number[] {
  return [...text].map((character) => character.charCodeAt(0));
}
