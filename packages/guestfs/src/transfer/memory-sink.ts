import { constants } from "node:buffer";
import type { ByteSink } from "./byte-sink.ts";

const pieceMax = 4 * 1024 * 1024;

/** Keeps everything in memory, in pieces that grow: chunks are too small to keep each by itself. */
export class MemorySink implements ByteSink {
  readonly #full: Uint8Array[] = [];
  #filling: Uint8Array = new Uint8Array(16 * 1024);
  #length = 0;
  #total = 0;
  readonly #limit: number;

  /** @param limit - most bytes to keep; more of them fail the call. Default: what one array can hold */
  constructor(limit: number = constants.MAX_LENGTH) {
    this.#limit = limit;
  }

  open(): undefined {}

  write(bytes: Uint8Array): undefined {
    this.#total += bytes.length;
    if (this.#total > this.#limit) throw new Error(`more than ${this.#limit} bytes, too much to be kept in memory`);
    if (bytes.length > this.#filling.length - this.#length) {
      this.#full.push(this.#filling.subarray(0, this.#length));
      this.#filling = new Uint8Array(Math.max(bytes.length, Math.min(pieceMax, 2 * this.#filling.length)));
      this.#length = 0;
    }
    this.#filling.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  end(): undefined {}

  abort(): Promise<void> {
    return Promise.resolve();
  }

  /** All that was received. */
  bytes(): Uint8Array {
    const whole = new Uint8Array(this.#total);
    let at = 0;
    for (const piece of [...this.#full, this.#filling.subarray(0, this.#length)]) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
}
