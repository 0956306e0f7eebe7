import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import type { FileSource } from "../call-options.ts";
import type { ByteSource } from "./byte-source.ts";
import { holdStream } from "./hold-stream.ts";
import { isFifo, openFifo } from "./open-fifo.ts";

class PathSource implements ByteSource {
  readonly size: number;
  readonly shortReadIsEnd = false;
  readonly #file: FileHandle;
  #reading = false;

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.size = size;
  }

  async read(views: readonly Uint8Array[]): Promise<number> {
    this.#reading = true;
    try {
      return (await this.#file.readv(views)).bytesRead;
    } finally {
      this.#reading = false;
    }
  }

  async close(): Promise<void> {
    const closed = this.#file.close().catch(() => undefined);
    // What is being read, from a terminal for instance, may never come.
    if (!this.#reading) await closed;
  }
}

class BytesSource implements ByteSource {
  readonly size: number;
  readonly shortReadIsEnd = true;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.size = bytes.length;
  }

  read(views: readonly Uint8Array[]): number {
    const start = this.#at;
    for (const view of views) {
      const piece = this.#bytes.subarray(this.#at, this.#at + view.length);
      view.set(piece);
      this.#at += piece.length;
      if (piece.length < view.length) break;
    }
    return this.#at - start;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

type Next = { done?: boolean | undefined; value?: unknown };

/** A stream or an iterable: something that gives pieces of any size. */
class PieceSource implements ByteSource {
  readonly size = 0;
  readonly shortReadIsEnd = false;
  readonly #next: () => Promise<Next> | Next;
  readonly #close: () => unknown;
  #piece: Uint8Array = new Uint8Array(0);
  #ended = false;

  constructor(next: () => Promise<Next> | Next, close: () => unknown) {
    this.#next = next;
    this.#close = close;
  }

  async read(views: readonly Uint8Array[]): Promise<number> {
    let total = 0;
    for (const view of views) {
      let filled = 0;
      while (filled < view.length) {
        if (this.#piece.length === 0) await this.#advance();
        if (this.#ended) return total + filled;
        const part = this.#piece.subarray(0, view.length - filled);
        view.set(part, filled);
        filled += part.length;
        this.#piece = this.#piece.subarray(part.length);
      }
      total += filled;
    }
    return total;
  }

  async #advance(): Promise<void> {
    if (this.#ended) return;
    const { done, value } = await this.#next();
    if (done === true) this.#ended = true;
    else if (value instanceof Uint8Array) this.#piece = value;
    else throw new TypeError(`the stream gave a ${typeof value} where only Uint8Array may come`);
  }

  async close(): Promise<void> {
    this.#ended = true;
    // Not awaited: an iterator answers `return` only behind a `next` that may never come.
    void Promise.resolve()
      .then(this.#close)
      .catch(() => undefined);
  }
}

function pieces(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): ByteSource {
  if (source instanceof ReadableStream) {
    const reader = (source as ReadableStream<Uint8Array>).getReader();
    return new PieceSource(
      () => reader.read(),
      () => {
        const cancelled = reader.cancel();
        reader.releaseLock();
        return cancelled;
      },
    );
  }
  const release = holdStream(source, true);
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  return new PieceSource(
    () => iterator.next(),
    () => {
      release();
      return source instanceof Readable ? source.destroy() : iterator.return?.();
    },
  );
}

/**
 * Opens content to send.
 * @throws Error of the file system when a path can't be read
 */
export async function openSource(source: FileSource): Promise<ByteSource> {
  if (typeof source === "string") {
    if (await isFifo(source)) return pieces(await openFifo(source, "read"));
    const file = await open(source, "r");
    try {
      const stats = await file.stat();
      if (stats.isDirectory())
        throw Object.assign(new Error(`EISDIR: is a directory, read '${source}'`), { code: "EISDIR" });
      return new PathSource(file, stats.isFile() ? stats.size : 0);
    } catch (error) {
      await file.close();
      throw error;
    }
  }
  if (source instanceof Uint8Array) return new BytesSource(source);
  return pieces(source);
}

/** Whether a value may stand where content to send is asked for. */
export function isFileSource(value: unknown): value is FileSource {
  if (typeof value === "string") return true;
  return typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}
