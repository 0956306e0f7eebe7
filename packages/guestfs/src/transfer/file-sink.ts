import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { Writable } from "node:stream";
import type { FileSink } from "../call-options.ts";
import type { ByteSink } from "./byte-sink.ts";

const pathStaging = 1024 * 1024;
const streamStaging = 256 * 1024;

/** Two pieces of memory: one is filled while the other is written. */
class PathSink implements ByteSink {
  readonly #path: string;
  #file: FileHandle | undefined;
  #filling: Uint8Array = new Uint8Array(pathStaging);
  #spare: Uint8Array | undefined = new Uint8Array(pathStaging);
  #length = 0;
  #writing: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async open(): Promise<void> {
    this.#file = await open(this.#path, "w");
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    if (bytes.length > this.#filling.length - this.#length) return this.#writeThrough(bytes);
    this.#filling.set(bytes, this.#length);
    this.#length += bytes.length;
    if (this.#length < this.#filling.length - streamStaging) return undefined;
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
    this.#filling = this.#spare ?? new Uint8Array(pathStaging);
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

  async abort(): Promise<void> {
    await this.#writing?.catch(() => undefined);
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => undefined);
  }
}

/** Gathers small chunks, so that a stream gets few large ones. */
abstract class StreamSink implements ByteSink {
  #staging: Uint8Array | undefined;
  #length = 0;

  /** Hands a piece of memory over; it is not touched again. */
  protected abstract deliver(bytes: Uint8Array): Promise<void> | undefined;
  protected abstract finish(): Promise<void>;
  abstract abort(error: Error): Promise<void>;

  open(): Promise<void> | undefined {
    return undefined;
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    this.#staging ??= new Uint8Array(Math.max(streamStaging, bytes.length));
    if (bytes.length > this.#staging.length - this.#length) {
      const before = this.#staging.subarray(0, this.#length);
      this.#staging = undefined;
      this.#length = 0;
      const wait = this.deliver(before);
      const copy = bytes.slice();
      return wait ? wait.then(() => this.write(copy)) : this.write(copy);
    }
    this.#staging.set(bytes, this.#length);
    this.#length += bytes.length;
    return this.#length === this.#staging.length ? this.#flush() : undefined;
  }

  async end(): Promise<void> {
    await this.#flush();
    await this.finish();
  }

  #flush(): Promise<void> | undefined {
    if (this.#staging === undefined || this.#length === 0) return undefined;
    const piece = this.#staging.subarray(0, this.#length);
    this.#staging = undefined;
    this.#length = 0;
    return this.deliver(piece);
  }
}

class WritableSink extends StreamSink {
  readonly #stream: Writable;
  #failure: Error | undefined;
  readonly #onError = (error: Error): void => {
    this.#failure ??= error;
  };
  readonly #onClose = (): void => {
    this.#failure ??= new Error("the stream was closed");
  };

  constructor(stream: Writable) {
    super();
    this.#stream = stream;
  }

  override open(): undefined {
    if (this.#stream.destroyed || this.#stream.writableEnded) throw new Error("the stream was closed");
    this.#stream.on("error", this.#onError);
    this.#stream.on("close", this.#onClose);
  }

  protected override deliver(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#stream.write(bytes)) return undefined;
    return this.#event("drain");
  }

  protected override async finish(): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (this.#isStandard()) return;
    const finished = this.#event("finish");
    this.#stream.end();
    await finished;
    this.#forget();
  }

  override abort(error: Error): Promise<void> {
    if (!this.#isStandard() && !this.#stream.destroyed) {
      // Its owner learns it from the call; without this a stream nobody watches would end the process.
      this.#stream.on("error", () => undefined);
      this.#stream.destroy(error);
    }
    this.#forget();
    return Promise.resolve();
  }

  /** The process's own output stays open. */
  #isStandard(): boolean {
    return this.#stream === process.stdout || this.#stream === process.stderr;
  }

  #forget(): void {
    this.#stream.off("error", this.#onError);
    this.#stream.off("close", this.#onClose);
  }

  #event(name: "drain" | "finish"): Promise<void> {
    const stream = this.#stream;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        stream.off(name, settle).off("error", settle).off("close", settle);
        const failure = this.#failure;
        if (failure && !(name === "finish" && stream.writableFinished)) reject(failure);
        else resolve();
      };
      stream.on(name, settle).on("error", settle).on("close", settle);
      if (this.#failure) settle();
    });
  }
}

class WebSink extends StreamSink {
  readonly #stream: WritableStream<Uint8Array>;
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;

  constructor(stream: WritableStream<Uint8Array>) {
    super();
    this.#stream = stream;
  }

  override open(): undefined {
    this.#writer = this.#stream.getWriter();
    this.#writer.closed.catch(() => undefined);
  }

  protected override async deliver(bytes: Uint8Array): Promise<void> {
    await this.#writer?.ready;
    await this.#writer?.write(bytes);
  }

  protected override async finish(): Promise<void> {
    await this.#writer?.close();
  }

  override async abort(error: Error): Promise<void> {
    try {
      await (this.#writer ?? this.#stream).abort(error);
    } catch {
      // It failed before us, or someone else holds it.
    }
  }
}

/** Keeps everything in memory. */
export class MemorySink implements ByteSink {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  open(): undefined {}

  write(bytes: Uint8Array): undefined {
    this.#pieces.push(bytes.slice());
    this.#length += bytes.length;
  }

  end(): undefined {}

  abort(): Promise<void> {
    return Promise.resolve();
  }

  /** All that was received. */
  bytes(): Uint8Array {
    const [only] = this.#pieces;
    if (only !== undefined && this.#pieces.length === 1) return only;
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
}

/** Where a caller's content goes. */
export function makeSink(sink: FileSink): ByteSink {
  if (typeof sink === "string") return new PathSink(sink);
  return sink instanceof WritableStream ? new WebSink(sink) : new WritableSink(sink);
}

/** Whether a value may stand where a place for content is asked for. */
export function isFileSink(value: unknown): value is FileSink {
  if (typeof value === "string" || value instanceof WritableStream) return true;
  return (
    value instanceof Writable || (typeof value === "object" && value !== null && "write" in value && "end" in value)
  );
}
