import { ProtocolError } from "../errors.ts";
import { decodeText } from "../text.ts";

/**
 * Takes XDR values (RFC 4506) from bytes. Every method throws a ProtocolError rather than read past the end, and
 * leaves the place in the bytes as it was when it does.
 */
export class Reader {
  readonly #bytes: Uint8Array;
  #wide: DataView | undefined;
  #at = 0;

  /** @param bytes - read in place; what {@link opaque} and {@link fixed} give are views of it */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  /** An unsigned integer of 4 bytes. */
  uint32(): number {
    return this.int32() >>> 0;
  }

  /** A signed integer of 4 bytes. */
  int32(): number {
    return this.#word(this.#take(4));
  }

  /**
   * A signed integer of 8 bytes.
   * @throws ProtocolError when the value is beyond the exact range of a number (2^53)
   */
  int64(): number {
    const at = this.#take(8);
    const value = this.#word(at) * 0x100000000 + (this.#word(at + 4) >>> 0);
    return Number.isSafeInteger(value) ? value : this.#tooLarge(this.#view().getBigInt64(at));
  }

  /**
   * An unsigned integer of 8 bytes.
   * @throws ProtocolError when the value is beyond the exact range of a number (2^53)
   */
  uint64(): number {
    const at = this.#take(8);
    const value = (this.#word(at) >>> 0) * 0x100000000 + (this.#word(at + 4) >>> 0);
    return Number.isSafeInteger(value) ? value : this.#tooLarge(this.#view().getBigUint64(at));
  }

  /** A signed integer of 8 bytes, whatever its size. */
  wideInt64(): bigint {
    return this.#view().getBigInt64(this.#take(8));
  }

  /** An unsigned integer of 8 bytes, whatever its size. */
  wideUint64(): bigint {
    return this.#view().getBigUint64(this.#take(8));
  }

  /** A float of 4 bytes. */
  float32(): number {
    return this.#view().getFloat32(this.#take(4));
  }

  /** 4 bytes, of which any but 0 is true. */
  bool(): boolean {
    return this.uint32() !== 0;
  }

  /**
   * Text (see `decodeText`), cut at the first NUL as a C peer would.
   * @param max - longest length to accept, in bytes
   */
  string(max: number = Number.POSITIVE_INFINITY): string {
    const data = this.opaque(max);
    const end = data.indexOf(0);
    return decodeText(end < 0 ? data : data.subarray(0, end));
  }

  /**
   * Variable-length opaque data, as a view of the message.
   * @param max - longest length to accept, in bytes
   */
  opaque(max: number = Number.POSITIVE_INFINITY): Uint8Array {
    const length = this.uint32();
    if (length > max) throw new ProtocolError(`${length} bytes where at most ${max} may stand`);
    return this.#slice(length);
  }

  /** Fixed-length opaque data, as a view of the message. */
  fixed(length: number): Uint8Array {
    return this.#slice(length);
  }

  /** The length of a list whose elements take at least `elementMin` bytes each. */
  count(elementMin: number): number {
    const count = this.uint32();
    if (count * elementMin > this.remaining)
      throw new ProtocolError(`a list of ${count} elements in ${this.remaining} bytes`);
    return count;
  }

  /** Made when it is needed: most messages are short and have none of what it is for. */
  #view(): DataView {
    return (this.#wide ??= new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength));
  }

  #slice(length: number): Uint8Array {
    const at = this.#take(length + 3 - ((length + 3) % 4));
    return this.#bytes.subarray(at, at + length);
  }

  #tooLarge(value: bigint): never {
    throw new ProtocolError(`${value} is beyond the exact range of a number`);
  }

  #word(at: number): number {
    const bytes = this.#bytes;
    return (
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)
    );
  }

  #take(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at)
      throw new ProtocolError(`${count} bytes wanted where ${this.#bytes.length - at} are left`);
    this.#at = at + count;
    return at;
  }
}
