import { ProtocolError } from "../errors.ts";
import { encodeText } from "../text.ts";

const asciiOnly = /^[\x01-\x7f]*$/;

/** Appends XDR values (RFC 4506) to a buffer that grows. */
export class Writer {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  /** @param capacity - bytes to set aside at first */
  constructor(capacity = 512) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** The bytes written so far: a view, valid until the next write. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Writes a 32-bit unsigned value at a place written before. */
  patchUint32(at: number, value: number): void {
    this.#view.setUint32(at, value);
  }

  uint32(value: number): void {
    this.#checkInteger(value, 0, 0xffffffff);
    this.#view.setUint32(this.#take(4), value);
  }

  int32(value: number): void {
    this.#checkInteger(value, -0x80000000, 0x7fffffff);
    this.#view.setInt32(this.#take(4), value);
  }

  /** @throws RangeError when the value is no integer or does not fit 64 signed bits */
  int64(value: number | bigint): void {
    const wide = this.#wide(value);
    if (BigInt.asIntN(64, wide) !== wide) throw new RangeError(`${value} does not fit 64 signed bits`);
    this.#view.setBigInt64(this.#take(8), wide);
  }

  /** @throws RangeError when the value is no integer or does not fit 64 unsigned bits */
  uint64(value: number | bigint): void {
    const wide = this.#wide(value);
    if (BigInt.asUintN(64, wide) !== wide) throw new RangeError(`${value} does not fit 64 unsigned bits`);
    this.#view.setBigUint64(this.#take(8), wide);
  }

  float32(value: number): void {
    this.#view.setFloat32(this.#take(4), value);
  }

  bool(value: boolean): void {
    this.#view.setUint32(this.#take(4), value ? 1 : 0);
  }

  /** @throws ProtocolError when the text contains NUL, which a C peer would cut off */
  string(text: string): void {
    if (text.length < 64 && asciiOnly.test(text)) {
      const at = this.#take(4 + padded(text.length));
      this.#view.setUint32(at, text.length);
      for (let i = 0; i < text.length; i++) this.#bytes[at + 4 + i] = text.charCodeAt(i);
      return;
    }
    if (text.includes("\0")) throw new ProtocolError("a string must not contain a NUL character");
    this.opaque(encodeText(text));
  }

  /** Variable-length opaque data: length, bytes, padding. */
  opaque(data: Uint8Array): void {
    const at = this.#take(4 + padded(data.length));
    this.#view.setUint32(at, data.length);
    this.#bytes.set(data, at + 4);
  }

  /** Fixed-length opaque data: bytes and padding, shorter data filled up with zeros. */
  fixed(data: Uint8Array, length: number): void {
    if (data.length > length) throw new RangeError(`${data.length} bytes do not fit into ${length}`);
    this.#bytes.set(data, this.#take(padded(length)));
  }

  #wide(value: number | bigint): bigint {
    if (typeof value === "number" && !Number.isSafeInteger(value)) throw new RangeError(`${value} is not an exact integer`);
    return BigInt(value);
  }

  #checkInteger(value: number, low: number, high: number): void {
    if (!Number.isInteger(value) || value < low || value > high)
      throw new RangeError(`${value} is not an integer from ${low} to ${high}`);
  }

  #take(count: number): number {
    const at = this.#length;
    const end = at + count;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = end;
    return at;
  }
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
