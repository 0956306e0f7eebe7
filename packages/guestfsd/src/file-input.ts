import { decodeChunk, extendedChunkMax, ProtocolError } from "@guestfs/protocol";
import { writeSync } from "node:fs";
import { ConversationEndedError, DaemonError, UploadCancelledError } from "./daemon-error.ts";
import type { Wire } from "./wire.ts";

/** The file that comes with a call, chunk by chunk. Each chunk is valid until the next one is taken. */
export class FileInput implements Iterable<Uint8Array> {
  readonly #wire: Wire;
  readonly #onBytes: (received: number) => void;
  #received = 0;
  #ended = false;

  /** @param onBytes - told how many bytes have come, after each chunk */
  constructor(wire: Wire, onBytes: (received: number) => void) {
    this.#wire = wire;
    this.#onBytes = onBytes;
  }

  /**
   * The next chunk, `undefined` at the end.
   * @throws UploadCancelledError when the client stops sending
   */
  next(): Uint8Array | undefined {
    if (this.#ended) return undefined;
    for (;;) {
      const frame = this.#wire.receive();
      // Left over from a download that had already ended.
      if (frame.type === "cancel") continue;
      if (frame.type !== "message") throw new ConversationEndedError(`a ${frame.type} flag in the middle of a file`);
      const chunk = this.#decode(frame.bytes);
      if (chunk.type === "data") {
        this.#received += chunk.data.length;
        this.#onBytes(this.#received);
        return chunk.data;
      }
      this.#ended = true;
      if (chunk.type === "cancel") throw new UploadCancelledError();
      return undefined;
    }
  }

  *[Symbol.iterator](): Iterator<Uint8Array> {
    for (let data = this.next(); data !== undefined; data = this.next()) yield data;
  }

  /** Writes all that is still to come to a descriptor. */
  copyTo(fd: number): void {
    for (const data of this) {
      for (let at = 0; at < data.length; ) at += writeSync(fd, data, at, data.length - at, null);
    }
  }

  /** Stops the client from sending and drops what is still on its way; does nothing when the file has ended. */
  cancel(): void {
    if (this.#ended) return;
    this.#wire.sendCancel();
    try {
      while (!this.#ended) this.next();
    } catch (error) {
      if (!(error instanceof DaemonError)) throw error;
    }
  }

  #decode(bytes: Uint8Array): ReturnType<typeof decodeChunk> {
    try {
      return decodeChunk(bytes, extendedChunkMax);
    } catch (error) {
      if (error instanceof ProtocolError) throw new DaemonError(error.message, "EINVAL", { cause: error });
      throw error;
    }
  }
}
