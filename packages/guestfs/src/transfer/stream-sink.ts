import type { Writable } from "node:stream";
import type { ByteSink } from "./byte-sink.ts";

const pieceSize = 256 * 1024;

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
    this.#staging ??= new Uint8Array(Math.max(pieceSize, bytes.length));
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

/** A stream of Node's. */
export class WritableSink extends StreamSink {
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
    if (this.#isStandard()) {
      this.#forget();
      return;
    }
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

/** A stream of the web platform's. */
export class WebSink extends StreamSink {
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
    this.#writer?.releaseLock();
  }

  override abort(error: Error): Promise<void> {
    // Not awaited: a stream answers only behind a `write` that may never end.
    void (this.#writer ?? this.#stream)
      .abort(error)
      // It failed before us, or someone else holds it.
      .catch(() => undefined)
      .then(() => this.#writer?.releaseLock());
    return Promise.resolve();
  }
}
