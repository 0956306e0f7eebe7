import { decodeChunk, extendedChunkMax, ProtocolError } from "@guestfs/protocol";
import type { Frame } from "@guestfs/protocol";
import { writevSync } from "node:fs";
import { ConversationEndedError, DaemonError, UploadCancelledError } from "./daemon-error.ts";
import type { Wire } from "./wire.ts";

/** Most chunks that one writev(2) takes: IOV_MAX of Linux. */
const gatherMax = 1024;

function* upTo(chunks: readonly Uint8Array[], written: number): Generator<Uint8Array> {
  let skip = written;
  for (const chunk of chunks) {
    if (skip < chunk.length) yield chunk.subarray(skip);
    skip = Math.max(0, skip - chunk.length);
  }
}

function writeGathered(fd: number, chunks: readonly Uint8Array[]): void {
  const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  for (let written = 0; written < total;) {
    const left = written === 0 ? chunks : [...upTo(chunks, written)];
    written += writevSync(fd, left);
  }
}

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
    while (!this.#ended) {
      const data = this.#take(this.#wire.receive());
      if (data) return data;
    }
    return undefined;
  }

  *[Symbol.iterator](): Iterator<Uint8Array> {
    for (let data = this.next(); data !== undefined; data = this.next()) yield data;
  }

  /** Writes all that is still to come to a descriptor. */
  copyTo(fd: number): void {
    for (let data = this.next(); data !== undefined; data = this.next()) {
      // Chunks that came with the same read stay valid together: one system call writes them all.
      const gathered = [data];
      try {
        while (!this.#ended && gathered.length < gatherMax) {
          const frame = this.#wire.receiveBuffered();
          if (!frame) break;
          const more = this.#take(frame);
          if (more) gathered.push(more);
        }
      } finally {
        writeGathered(fd, gathered);
      }
    }
  }

  /** Stops the client from sending and drops what is still on its way; does nothing when the file has ended. */
  cancel(): void {
    if (this.#ended) return;
    this.#wire.sendCancel();
    while (!this.#ended) {
      try {
        this.next();
      } catch (error) {
        if (!(error instanceof DaemonError)) throw error;
      }
    }
  }

  /** The data of a frame; `undefined` for the end and for what is no chunk. */
  #take(frame: Frame): Uint8Array | undefined {
    // Left over from a download that had already ended.
    if (frame.type === "cancel") return undefined;
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

  #decode(bytes: Uint8Array): ReturnType<typeof decodeChunk> {
    try {
      return decodeChunk(bytes, extendedChunkMax);
    } catch (error) {
      if (error instanceof ProtocolError) throw new DaemonError(error.message, "EINVAL", { cause: error });
      throw error;
    }
  }
}
