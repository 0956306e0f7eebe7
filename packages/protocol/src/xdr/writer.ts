import { ProtocolError } from "../errors.ts";
import { encodeText } from "../text.ts";

const asciiOnly = /^[\x01-\x7f]*$/;

const keptMax = 64 * 1024;

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

  /** Begins anew in the same memory: {@link bytes} given before are no longer valid. */
  clear(): void {
    this.#length = 0;
    // One large message does not keep its memory for ever.
    if (this.#bytes.length > keptMax) {
      this.#bytes = new Uint8Array(keptMax);
      this.#view = new DataView(this.#bytes.buffer);
    }
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

  /** @throws RangeError when the value is no integer or does not fit 32 unsigned bits */
  uint32(value: number): void {
    this.#checkInteger(value, 0, 0xffffffff);
    const at = this.#take(4);
    this.#view.setUint32(at, value);
  }

  /** @throws RangeError when the value is no integer or does not fit 32 signed bits */
  int32(value: number): void {
    this.#checkInteger(value, -0x80000000, 0x7fffffff);
    const at = this.#take(4);
    this.#view.setInt32(at, value);
  }

  /** @throws RangeError when the value is no integer or does not fit 64 signed bits */
  int64(value: number | bigint): void {
    if (Number.isSafeInteger(value)) {
      this.#number64(value as number);
      return;
    }
    const wide = this.#wide(value);
    if (BigInt.asIntN(64, wide) !== wide) throw new RangeError(`${value} does not fit 64 signed bits`);
    const at = this.#take(8);
    this.#view.setBigInt64(at, wide);
  }

  /** @throws RangeError when the value is no integer or does not fit 64 unsigned bits */
  uint64(value: number | bigint): void {
    if (Number.isSafeInteger(value) && (value as number) >= 0) {
      this.#number64(value as number);
      return;
    }
    const wide = this.#wide(value);
    if (BigInt.asUintN(64, wide) !== wide) throw new RangeError(`${value} does not fit 64 unsigned bits`);
    const at = this.#take(8);
    this.#view.setBigUint64(at, wide);
  }

  /** A float of 4 bytes, rounded to what fits. */
  float32(value: number): void {
    const at = this.#take(4);
    this.#view.setFloat32(at, value);
  }

  /** 4 bytes: 1 or 0. */
  bool(value: boolean): void {
    const at = this.#take(4);
    this.#view.setUint32(at, value ? 1 : 0);
  }

  /**
   * Length, text (see `encodeText`), padding.
   * @throws ProtocolError when the text contains NUL, where a C peer would cut it off
   */
  string(text: string): void {
    if (text.length < 64 && asciiOnly.test(text)) {
      const at = this.#takePadded(4 + text.length);
      this.#view.setUint32(at, text.length);
      for (let i = 0; i < text.length; i++) this.#bytes[at + 4 + i] = text.charCodeAt(i);
      return;
    }
    if (text.includes("\0")) throw new ProtocolError("a string must not contain a NUL character");
    this.opaque(encodeText(text));
  }

  /** Variable-length opaque data: length, bytes, padding. */
  opaque(data: Uint8Array): void {
    const at = this.#takePadded(4 + data.length);
    this.#view.setUint32(at, data.length);
    this.#bytes.set(data, at + 4);
  }

  /**
   * Fixed-length opaque data: bytes and padding, shorter data filled up with zeros.
   * @throws RangeError when the data are longer than `length`
   */
  fixed(data: Uint8Array, length: number): void {
    if (data.length > length) throw new RangeError(`${data.length} bytes do not fit into ${length}`);
    const at = this.#takePadded(length);
    this.#bytes.set(data, at);
    this.#bytes.fill(0, at + data.length, at + length);
  }

  /** Nearly all are numbers, and most structs are made of them: no bigint is made for these. */
  #number64(value: number): void {
    const at = this.#take(8);
    this.#view.setInt32(at, Math.floor(value / 0x100000000));
    // The lower half, of a negative one in two's complement.
    this.#view.setInt32(at + 4, value);
  }

  #wide(value: number | bigint): bigint {
    if (typeof value === "number" && !Number.isSafeInteger(value))
      throw new RangeError(`${value} is not an exact integer`);
    return BigInt(value);
  }

  #checkInteger(value: number, low: number, high: number): void {
    if (!Number.isInteger(value) || value < low || value > high)
      throw new RangeError(`${value} is not an integer from ${low} to ${high}`);
  }

  #takePadded(count: number): number {
    const at = this.#take((count + 3) & ~3);
    // Something else may have stood there before.
    for (let pad = at + count; pad < this.#length; pad++) this.#bytes[pad] = 0;
    return at;
  }

  // May replace #bytes and #view: call it before either is looked at.
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
