import { chunkPrefixSize, writeChunkPrefix } from "@guestfs/protocol";

/**
 * Memory for several chunks in one write. Content is read straight to where it stands behind each chunk's prefix.
 */
export class ChunkBlock {
  /** Where content goes, in order. */
  readonly views: readonly Uint8Array[];
  /** Bytes of content it can hold. */
  readonly capacity: number;
  readonly #bytes: Uint8Array;
  readonly #chunkSize: number;
  #shortened: number | undefined;

  /** @param chunkSize - largest chunk, in bytes, a multiple of 4 */
  constructor(chunkSize: number, chunks: number) {
    const stride = chunkPrefixSize + chunkSize;
    this.#chunkSize = chunkSize;
    this.capacity = chunkSize * chunks;
    this.#bytes = new Uint8Array(stride * chunks);
    this.views = Array.from({ length: chunks }, (_, index) =>
      this.#bytes.subarray(index * stride + chunkPrefixSize, (index + 1) * stride),
    );
    for (let index = 0; index < chunks; index++) writeChunkPrefix(this.#bytes, index * stride, chunkSize);
  }

  /** The frames of the first `length` bytes of content: a view. */
  frames(length: number): Uint8Array {
    const stride = chunkPrefixSize + this.#chunkSize;
    if (this.#shortened !== undefined) writeChunkPrefix(this.#bytes, this.#shortened * stride, this.#chunkSize);
    this.#shortened = undefined;
    const full = Math.floor(length / this.#chunkSize);
    const rest = length - full * this.#chunkSize;
    if (rest === 0) return this.#bytes.subarray(0, full * stride);
    const padding = writeChunkPrefix(this.#bytes, full * stride, rest);
    const end = full * stride + chunkPrefixSize + rest;
    this.#bytes.fill(0, end, end + padding);
    this.#shortened = full;
    return this.#bytes.subarray(0, end + padding);
  }
}
