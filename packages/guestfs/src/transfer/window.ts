import { randomBytes } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { encodeWindowChunk, windowSize } from "@guestfs/protocol";
import type { ByteSource } from "./byte-source.ts";
import type { UploadChannel } from "./upload.ts";

const pieceSize = 1024 * 1024;
const tokenSize = 32;
/** Smaller content goes faster with the call itself. */
const worthwhile = 256 * 1024;

const isWorthwhile = (size: number): boolean => size === 0 || size >= worthwhile;

/** What an upload through the window needs of its conversation. */
export interface WindowUploadChannel extends Omit<UploadChannel, "chunkSize"> {
  /** Pieces that the daemon has not given back yet. */
  readonly outstanding: number;
  /** A piece was sent. */
  sent(): void;
  /** Settles when the daemon has given one back. */
  given(): Promise<void>;
}

/** A disk of the machine of which this side has the file: content of uploads goes there, the conversation tells where (PROTOCOL.md). */
export class TransferWindow {
  /** Where it starts on the disk, in bytes. */
  readonly start: number;
  /** Whether the place is another client's after us: the conversation must not end before {@link release} has. */
  readonly shared: boolean;
  readonly #file: FileHandle;
  #pieces = 0;
  #marked = false;
  #opened = false;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(file: FileHandle, { start = 0, shared = false }: { start?: number; shared?: boolean } = {}) {
    this.#file = file;
    this.start = start;
    this.shared = shared;
  }

  /** Puts random bytes at its start, by which the daemon finds that it sees the same. */
  async mark(): Promise<Uint8Array> {
    this.#marked = true;
    const token = randomBytes(tokenSize);
    await this.#write(token, 0);
    return token;
  }

  /** @param size - bytes of the window that the daemon sees; 0 when it does not see it */
  open(size: number): void {
    this.#opened = true;
    this.#pieces = Math.floor(Math.min(size, windowSize) / pieceSize);
  }

  /** Whether it should be marked and opened now, for content of this size; 0 for an unknown one. */
  wanted(size: number): boolean {
    return !this.#opened && isWorthwhile(size);
  }

  /** Whether content of this size should go this way; 0 for an unknown one. */
  suits(size: number): boolean {
    return this.#pieces > 1 && isWorthwhile(size);
  }

  /**
   * Sends content, without the mark of its end.
   * @returns whether all of it was sent
   */
  async send(channel: WindowUploadChannel, source: ByteSource): Promise<boolean> {
    const bytes = new Uint8Array(pieceSize);
    for (let place = 0; ; place = (place + 1) % this.#pieces) {
      while (channel.outstanding === this.#pieces && !channel.stopped) await channel.unlessStopped(channel.given());
      if (channel.stopped) return false;
      const length = await channel.unlessStopped(Promise.resolve(source.read([bytes])));
      if (length === undefined || channel.stopped) return false;
      if (length === 0) return true;
      const offset = place * pieceSize;
      await this.#write(bytes.subarray(0, length), offset);
      if (channel.stopped) return false;
      channel.sent();
      await channel.send(encodeWindowChunk({ offset, length }));
      if (source.shortReadIsEnd && length < pieceSize) return true;
    }
  }

  /** Waits until nothing is being written, and leaves nothing of the content behind. The exchange is over already. */
  async release(): Promise<void> {
    // Whoever wrote was told.
    await this.#writing.catch(() => undefined);
    if (this.#marked) await this.#write(new Uint8Array(windowSize), 0).catch(() => undefined);
  }

  #write(bytes: Uint8Array, offset: number): Promise<void> {
    const writing = this.#writeAll(bytes, this.start + offset);
    this.#writing = writing;
    return writing;
  }

  async #writeAll(bytes: Uint8Array, place: number): Promise<void> {
    for (let at = 0; at < bytes.length;)
      at += (await this.#file.write(bytes, at, bytes.length - at, place + at)).bytesWritten;
  }
}
