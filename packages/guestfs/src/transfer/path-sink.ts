import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { ByteSink } from "./byte-sink.ts";
import { isFifo, openFifo } from "./open-fifo.ts";
import { WritableSink } from "./stream-sink.ts";

const pieceSize = 1024 * 1024;
/** A piece is written when less than this is free in it, in bytes: a chunk of any size agreed on still fits. */
const reserve = 256 * 1024;

/** A file of this machine. Two pieces of memory: one is filled while the other is written. */
export class PathSink implements ByteSink {
  readonly #path: string;
  readonly #abandoned = new AbortController();
  #opening: Promise<void> | undefined;
  #pipe: WritableSink | undefined;
  #file: FileHandle | undefined;
  #filling: Uint8Array = new Uint8Array(pieceSize);
  #spare: Uint8Array | undefined = new Uint8Array(pieceSize);
  #length = 0;
  #writing: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  open(): Promise<void> {
    return (this.#opening = this.#open());
  }

  async #open(): Promise<void> {
    if (!(await isFifo(this.#path))) {
      this.#file = await open(this.#path, "w");
      return;
    }
    this.#pipe = new WritableSink(await openFifo(this.#path, "write", this.#abandoned.signal));
    this.#pipe.open();
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#pipe) return this.#pipe.write(bytes);
    if (bytes.length > this.#filling.length - this.#length) return this.#writeThrough(bytes);
    this.#filling.set(bytes, this.#length);
    this.#length += bytes.length;
    if (this.#length < this.#filling.length - reserve) return undefined;
    if (this.#writing === undefined) {
      this.#flush();
      return undefined;
    }
    return this.#writing.then(() => this.#flush());
  }

  async #writeThrough(bytes: Uint8Array): Promise<void> {
    const copy = bytes.slice();
    await this.#writing;
    this.#flush();
    await this.#writing;
    await this.#writeAll(copy);
  }

  #flush(): void {
    if (this.#length === 0) return;
    const full = this.#filling;
    const length = this.#length;
    this.#filling = this.#spare ?? new Uint8Array(pieceSize);
    this.#spare = undefined;
    this.#length = 0;
    this.#writing = this.#writeAll(full.subarray(0, length)).then(() => {
      this.#spare = full;
      this.#writing = undefined;
    });
    // The next write, or the end, meets the failure.
    this.#writing.catch(() => undefined);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    let at = 0;
    while (at < bytes.length) at += (await (this.#file as FileHandle).write(bytes, at)).bytesWritten;
  }

  async end(): Promise<void> {
    if (this.#pipe) {
      await this.#pipe.end();
      return;
    }
    try {
      await this.#writing;
      this.#flush();
      await this.#writing;
    } finally {
      const file = this.#file;
      this.#file = undefined;
      await file?.close();
    }
  }

  async abort(error: Error): Promise<void> {
    this.#abandoned.abort(error);
    await this.#opening?.catch(() => undefined);
    await this.#pipe?.abort(error);
    await this.#writing?.catch(() => undefined);
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => undefined);
  }
}
