import { chunkPrefixSize, encodeChunk, extendedChunkMax, writeChunkPrefix } from "@guestfs/protocol";
import { readvSync } from "node:fs";
import { DownloadCancelledError } from "./daemon-error.ts";
import { directAlignment, DirectMode } from "./direct-mode.ts";
import { alignedMemory } from "./native/memory-map.ts";
import { readBlocking } from "./native/descriptor.ts";
import type { Wire } from "./wire.ts";

const batchMax = 256 * 1024;
const endChunk = encodeChunk({ type: "end" });

/** One file is sent at a time, and making this much room anew costs more than sending a small file. */
let memory: Uint8Array | undefined;
let spare: Batch | undefined;

/** The first chunk's data begin on a page. */
const batchStart = directAlignment - chunkPrefixSize;

/** Memory for a run of full chunks, and the places of their data in it: one read fills them all. */
interface Batch {
  readonly chunkSize: number;
  readonly bytes: Uint8Array;
  readonly places: readonly Uint8Array[];
  /** The first of them alone. */
  readonly firstPlace: readonly Uint8Array[];
}

function batchFor(chunkSize: number): Batch {
  if (spare?.chunkSize === chunkSize) return spare;
  const stride = chunkPrefixSize + chunkSize;
  const count = Math.max(1, Math.floor(batchMax / stride));
  memory ??= alignedMemory(directAlignment + extendedChunkMax + directAlignment);
  const bytes = memory.subarray(batchStart, batchStart + count * stride);
  const places = Array.from({ length: count }, (_, i) =>
    bytes.subarray(i * stride + chunkPrefixSize, (i + 1) * stride),
  );
  spare = { chunkSize, bytes, places, firstPlace: places.slice(0, 1) };
  return spare;
}

function readInto(fd: number, places: readonly Uint8Array[]): number {
  const [only] = places;
  return only && places.length === 1 ? readBlocking(fd, only) : readvSync(fd, places);
}

/** How {@link FileOutput.copyFrom} goes about it. */
export interface CopyOptions {
  /** Most bytes to read. Default: to the end. */
  readonly limit?: number;
  /** Whether it is a large file or a block device, which is read past the page cache. */
  readonly direct?: boolean;
  /** Told now and then how many bytes of the file have been taken. */
  readonly report?: (sent: number) => void;
}

/** The file that goes with a reply, chunk by chunk. The reply itself goes out before the first byte. */
export class FileOutput {
  readonly #wire: Wire;
  readonly #chunkSize: number;
  readonly #sendReply: () => void;
  readonly #batch: Uint8Array;
  readonly #places: readonly Uint8Array[];
  readonly #firstPlace: readonly Uint8Array[];
  /** Bytes of whole chunks, and of the one behind them that is not full yet. */
  #batched = 0;
  #open = 0;
  #started = false;
  #flushed = false;
  #sent = 0;

  /**
   * @param chunkSize - largest chunk that the client takes, in bytes; a multiple of 4
   * @param sendReply - sends the reply, which stands before the file
   */
  constructor(wire: Wire, chunkSize: number, sendReply: () => void) {
    this.#wire = wire;
    this.#chunkSize = chunkSize;
    this.#sendReply = sendReply;
    ({ bytes: this.#batch, places: this.#places, firstPlace: this.#firstPlace } = batchFor(chunkSize));
  }

  /** Whether the reply has gone out, so that an error can only be told by breaking the file off. */
  get started(): boolean {
    return this.#started;
  }

  /** Bytes taken so far. */
  get sent(): number {
    return this.#sent;
  }

  /** @throws DownloadCancelledError when the client does not want the rest */
  write(data: Uint8Array): void {
    this.#closeOpen();
    for (let at = 0; at < data.length;) {
      const length = Math.min(this.#chunkSize, data.length - at);
      if (this.#batched + chunkPrefixSize + length + 3 > this.#batch.length) this.#flush();
      this.#batch.set(data.subarray(at, at + length), this.#batched + chunkPrefixSize);
      this.#close(length);
      at += length;
    }
  }

  /**
   * Reads what a descriptor has, once, straight into the memory that is sent from. It is sent when a chunk is full.
   * @returns `false` at its end
   */
  take(fd: number): boolean {
    if (this.#places.length > 1) {
      this.#flush();
      const count = readvSync(fd, this.#places);
      this.#sendPieces(count);
      return count > 0;
    }
    if (this.#batched + chunkPrefixSize + this.#chunkSize > this.#batch.length) this.#flush();
    const at = this.#batched + chunkPrefixSize + this.#open;
    const count = readBlocking(fd, this.#batch.subarray(at, at + this.#chunkSize - this.#open));
    this.#open += count;
    if (this.#open === this.#chunkSize) this.#closeOpen();
    return count > 0;
  }

  /** Reads a descriptor from its place to its end, or `limit` bytes of it, into the file. */
  copyFrom(fd: number, options: CopyOptions = {}): void {
    // The data of further chunks in the memory do not begin on a page.
    const mode = options.direct === true && this.#places.length === 1 ? new DirectMode(fd) : undefined;
    try {
      this.#copy(fd, options, mode);
    } finally {
      mode?.off();
    }
  }

  #copy(fd: number, options: CopyOptions, mode: DirectMode | undefined): void {
    const { limit = Number.POSITIVE_INFINITY, report } = options;
    this.#flush();
    // Most files are in the first chunk, and to read it alone is a fraction of the price.
    let places = this.#firstPlace;
    for (let left = limit; left > 0; places = this.#places) {
      const all = left >= places.length * this.#chunkSize;
      if (all) mode?.begin();
      else mode?.off();
      const count = this.#read(fd, all ? places : this.#trim(places, left), mode);
      if (count === 0) return;
      this.#sendPieces(count);
      left -= count;
      report?.(this.#sent);
    }
  }

  /** Sends what stands in the places. */
  #sendPieces(count: number): void {
    for (let rest = count; rest > 0; rest -= this.#chunkSize) this.#close(Math.min(rest, this.#chunkSize));
    this.#flush();
  }

  #read(fd: number, places: readonly Uint8Array[], mode: DirectMode | undefined): number {
    try {
      return readInto(fd, places);
    } catch (error) {
      if (!mode) throw error;
      mode.refuse(error);
      return readInto(fd, places);
    }
  }

  /** Ends the file. */
  end(): void {
    this.#wire.sendTogether(() => {
      this.#start();
      this.#flush();
      this.#wire.send(endChunk);
    });
  }

  /** Breaks the file off, when it had begun. */
  abort(): void {
    this.#batched = 0;
    this.#open = 0;
    this.#wire.send(encodeChunk({ type: "cancel" }));
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#sendReply();
  }

  #trim(places: readonly Uint8Array[], length: number): Uint8Array[] {
    const full = Math.floor(length / this.#chunkSize);
    const rest = length - full * this.#chunkSize;
    return [
      ...places.slice(0, full),
      ...(rest > 0 ? places.slice(full, full + 1).map((place) => place.subarray(0, rest)) : []),
    ];
  }

  /** Puts the prefix before, and the padding behind, data that stand in their place in the batch. */
  #close(length: number): void {
    const padding = writeChunkPrefix(this.#batch, this.#batched, length);
    const end = this.#batched + chunkPrefixSize + length;
    for (let i = 0; i < padding; i++) this.#batch[end + i] = 0;
    this.#batched = end + padding;
    this.#sent += length;
  }

  #closeOpen(): void {
    const length = this.#open;
    if (length === 0) return;
    this.#open = 0;
    this.#close(length);
  }

  #flush(): void {
    this.#closeOpen();
    if (this.#batched === 0) return;
    this.#start();
    // Who cancels at once is asked the next time: most files have ended by then, and to ask costs as much as to send them.
    if (this.#flushed && this.#wire.takeCancel()) throw new DownloadCancelledError("the client cancelled the download");
    this.#wire.send(this.#batch.subarray(0, this.#batched));
    this.#batched = 0;
    this.#flushed = true;
  }
}
