import { chunkMax, chunkPrefixSize, encodeChunk, writeChunkPrefix } from "@guestfs/protocol";
import { readSync } from "node:fs";
import { DownloadCancelledError } from "./daemon-error.ts";
import type { Wire } from "./wire.ts";

const batchMax = 256 * 1024;

/** The file that goes with a reply, chunk by chunk. The reply itself goes out before the first byte. */
export class FileOutput {
  readonly #wire: Wire;
  readonly #chunkSize: number;
  readonly #sendReply: () => void;
  readonly #batch: Uint8Array;
  #batched = 0;
  #started = false;
  #sent = 0;

  /**
   * @param chunkSize - largest chunk that the client takes, in bytes; a multiple of 4
   * @param sendReply - sends the reply, which stands before the file
   */
  constructor(wire: Wire, chunkSize: number, sendReply: () => void) {
    this.#wire = wire;
    this.#chunkSize = chunkSize;
    this.#sendReply = sendReply;
    this.#batch = new Uint8Array(Math.max(batchMax, chunkSize + chunkPrefixSize + 4));
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
    for (let at = 0; at < data.length; ) {
      const length = Math.min(this.#chunkSize, data.length - at);
      const place = this.#place(length);
      place.set(data.subarray(at, at + length));
      this.#close(length);
      at += length;
    }
  }

  /** Reads a descriptor to its end, or `limit` bytes of it, into the file. */
  copyFrom(fd: number, limit: number = Number.POSITIVE_INFINITY): void {
    for (let left = limit; left > 0; ) {
      const place = this.#place(Math.min(this.#chunkSize, left));
      const length = readSync(fd, place, 0, place.length, null);
      if (length === 0) return;
      this.#close(length);
      left -= length;
    }
  }

  /** Ends the file. */
  end(): void {
    this.#start();
    this.#flush();
    this.#wire.send(encodeChunk({ type: "end" }));
  }

  /** Breaks the file off, when it had begun. */
  abort(): void {
    this.#batched = 0;
    this.#wire.send(encodeChunk({ type: "cancel" }));
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#sendReply();
  }

  /** Room for the data of one chunk, behind its prefix. */
  #place(length: number): Uint8Array {
    if (this.#batched + chunkPrefixSize + length + 3 > this.#batch.length) this.#flush();
    const at = this.#batched + chunkPrefixSize;
    return this.#batch.subarray(at, at + length);
  }

  #close(length: number): void {
    const padding = writeChunkPrefix(this.#batch, this.#batched, length);
    const end = this.#batched + chunkPrefixSize + length;
    this.#batch.fill(0, end, end + padding);
    this.#batched = end + padding;
    this.#sent += length;
  }

  #flush(): void {
    if (this.#batched === 0) return;
    this.#start();
    if (this.#wire.takeCancel()) throw new DownloadCancelledError("the client cancelled the download");
    this.#wire.send(this.#batch.subarray(0, this.#batched));
    this.#batched = 0;
  }
}
