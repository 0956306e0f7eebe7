import {
  decodeChunk,
  decodeWindowChunk,
  encodeFlag,
  extendedChunkMax,
  ProtocolError,
  windowFlag,
} from "@guestfs/protocol";
import type { Frame, WindowPiece } from "@guestfs/protocol";
import { writevSync } from "node:fs";
import { ConversationEndedError, DaemonError, UploadCancelledError } from "./daemon-error.ts";
import { DirectWriter } from "./direct-writer.ts";
import type { TransferWindow } from "./transfer-window.ts";
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

const pieceTaken = encodeFlag(windowFlag);

function decoded<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof ProtocolError) throw new DaemonError(error.message, "EINVAL", { cause: error });
    throw error;
  }
}

/** The file that comes with a call, chunk by chunk. Each chunk is valid until the next one is taken. */
export class FileInput implements Iterable<Uint8Array> {
  readonly #wire: Wire;
  readonly #onBytes: (received: number) => void;
  readonly #window: TransferWindow | undefined;
  #received = 0;
  #ended = false;

  /**
   * @param onBytes - told how many bytes have come, after each chunk
   * @param window - where chunks may say that their data stand
   */
  constructor(wire: Wire, onBytes: (received: number) => void, window?: TransferWindow) {
    this.#wire = wire;
    this.#onBytes = onBytes;
    this.#window = window;
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
    if (this.#window !== undefined) {
      this.#copyDirectly(new DirectWriter(fd));
      return;
    }
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

  #copyDirectly(writer: DirectWriter): void {
    try {
      for (let data = this.next(); data !== undefined; data = this.next()) writer.write(data);
    } finally {
      writer.end();
    }
  }

  /** The data of a frame; `undefined` for the end and for what is no chunk. */
  #take(frame: Frame): Uint8Array | undefined {
    // Left over from a download that had already ended.
    if (frame.type === "cancel") return undefined;
    if (frame.type !== "message") throw new ConversationEndedError(`a ${frame.type} flag in the middle of a file`);
    if (this.#window !== undefined) {
      const piece = decoded(() => decodeWindowChunk(frame.bytes, this.#window?.size ?? 0));
      if (piece !== undefined) return this.#takePiece(this.#window, piece);
    }
    const chunk = decoded(() => decodeChunk(frame.bytes, extendedChunkMax));
    if (chunk.type === "data") return this.#count(chunk.data);
    this.#ended = true;
    if (chunk.type === "cancel") throw new UploadCancelledError();
    return undefined;
  }

  #takePiece(window: TransferWindow, piece: WindowPiece): Uint8Array {
    try {
      return this.#count(window.read(piece));
    } finally {
      // It was copied: the client may put the next piece in its place.
      this.#wire.send(pieceTaken);
    }
  }

  #count(data: Uint8Array): Uint8Array {
    this.#received += data.length;
    this.#onBytes(this.#received);
    return data;
  }
}
