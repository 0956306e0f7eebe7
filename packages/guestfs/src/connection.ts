import { connect } from "node:net";
import type { Socket } from "node:net";
import {
  cancelFlag,
  chunkMax,
  codecOf,
  decodeChunk,
  encodeChunk,
  encodeFlag,
  encodeMessage,
  firstSerial,
  FrameDecoder,
  launchFlag,
  ProtocolError,
  Reader,
  readErrorBody,
  readHeader,
} from "@guestfs/protocol";
import type { Frame } from "@guestfs/protocol";
import { ConnectionClosedError, GuestfsError, RemoteError } from "./errors.ts";
import { Exchange } from "./exchange.ts";
import { Recovery } from "./recovery.ts";
import type { ByteSink } from "./transfer/byte-sink.ts";
import type { ByteSource } from "./transfer/byte-source.ts";
import { sendContent } from "./transfer/upload.ts";
import type { TransferWindow } from "./transfer/window.ts";
import type { WireCall } from "./wire-call.ts";

const readSize = 256 * 1024;
const cancelFlagFrame = encodeFlag(cancelFlag);
const endChunk = encodeChunk({ type: "end" });
const cancelChunk = encodeChunk({ type: "cancel" });

/** One conversation with a daemon: at most one call at a time. */
export class Connection {
  /** Largest chunk that either end may send, in bytes; more than the stock size when the daemon agreed to it. */
  chunkSize: number = chunkMax;
  /** Another way for the content of uploads, when there is one. */
  window: TransferWindow | undefined;
  /** Whether the daemon is ours; `undefined` while it was not asked. */
  hasExtensions: boolean | undefined;
  /** Whether the daemon was asked about these. */
  transferAgreed = false;
  /** Told once when the conversation has ended without {@link end}. */
  onLost: ((error: Error) => void) | undefined;
  /** Makes the error of the call that was under way when the connection was lost, out of what was seen. */
  explainLoss: ((error: Error, procedure: string) => Promise<Error>) | undefined;
  readonly #decoder = new FrameDecoder();
  readonly #socket: Socket;
  #serial = firstSerial;
  #exchange: Exchange | undefined;
  #greeting: { resolve(): void; reject(error: Error): void } | undefined;
  #greeted = false;
  #recovery: Recovery | undefined;
  readonly #trust: "nobody" | "greeting" | "first bytes";
  #failure: Error | undefined;
  #ending = false;
  /** What a sink is busy with while nothing is read: each time another one. */
  #pause: object | undefined;

  /** @param socket - given when it is open already and nothing was read from it */
  private constructor(target: Socket | string, trust: "nobody" | "greeting" | "first bytes") {
    this.#trust = trust;
    if (typeof target === "string") {
      // The kernel's bytes land in the decoder's memory, without a copy in between.
      this.#socket = connect({
        path: target,
        onread: {
          buffer: () => this.#decoder.reserve(readSize),
          callback: (count) => {
            this.#decoder.commit(count);
            this.#pump();
            return this.#pause === undefined;
          },
        },
      });
    } else {
      this.#socket = target;
      this.#socket.on("data", (bytes: Uint8Array) => {
        this.#decoder.push(bytes);
        this.#pump();
      });
    }
    this.#socket.on("error", (error) => this.#lose(error));
    // A daemon that says nothing more is gone, even when it still holds what we send.
    this.#socket.on("end", () => this.#lose(new Error(this.#closedMessage())));
    this.#socket.on("close", () => this.#lose(new Error(this.#closedMessage())));
  }

  /**
   * Connects to a unix socket; ask {@link greeted} how that went. An earlier client's bytes in front of the greeting
   * are passed over.
   * @param certain - not even a greeting is believed before the daemon has answered a question, as what an earlier
   *   client left behind may begin with one
   */
  static to(path: string, certain = false): Connection {
    return new Connection(path, certain ? "nobody" : "greeting");
  }

  /** Takes over an open socket from which nothing was read. */
  static over(socket: Socket): Connection {
    return new Connection(socket, "first bytes");
  }

  /** Why the conversation is over; `undefined` while it goes on. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /**
   * Waits for the daemon's greeting.
   * @throws Error of the socket, or ProtocolError when something else came; the connection is over then
   */
  greeted(): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#greeted) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#greeting = { resolve, reject };
    });
  }

  /** Whether bytes came that are no greeting. */
  get sawOtherBytes(): boolean {
    return this.#recovery?.passedOver === true;
  }

  /** Asks a daemon that says nothing whether it is there: it may have greeted before we came. */
  recover(): void {
    if (this.#greeted || this.#failure) return;
    this.#recovery ??= new Recovery((bytes) => this.#socket.write(bytes));
  }

  /** Ends the conversation; a call under way fails. */
  end(reason: Error): void {
    this.#ending = true;
    this.#lose(reason);
  }

  /** Makes a call. The promise settles when the conversation is ready for the next one. */
  async call(call: WireCall): Promise<unknown> {
    if (this.#failure) throw await this.#explained(this.#failure, call.procedure);
    call.cancellation.check();
    const serial = this.#serial;
    const exchange = new Exchange(call, codecOf(call.row), serial);
    const message = this.#encode(call, serial);
    this.#serial = (serial + 1) >>> 0;
    this.#exchange = exchange;
    if (call.source || call.sink) call.cancellation.listen(() => this.#cancelRequested(exchange));
    this.#socket.ref();
    try {
      if (!call.source) this.#socket.write(message);
      else await this.#upload(exchange, call.source, message);
      await exchange.done;
    } catch (error) {
      await exchange.abortSink(error);
      const failure = this.failure;
      if (failure && error === failure) throw await this.#explained(failure, call.procedure);
      throw error;
    } finally {
      call.cancellation.unlisten();
      this.#socket.unref();
    }
    const error =
      exchange.localError ?? (exchange.cancelled ? call.cancellation.error : undefined) ?? exchange.remoteError;
    if (!error) return exchange.result;
    await exchange.abortSink(error);
    throw error;
  }

  #encode(call: WireCall, serial: number): Uint8Array {
    const codec = codecOf(call.row);
    const header = {
      procedure: call.row.proc as number,
      direction: "call",
      serial,
      progressHint: call.source?.size ?? 0,
      optionalMask: codec.optionalMask(call.args),
      status: "ok",
    } as const;
    try {
      return encodeMessage(header, (writer) => codec.writeArguments(writer, call.args));
    } catch (error) {
      if (error instanceof ProtocolError) throw new RangeError(`${call.procedure}: ${error.message}`, { cause: error });
      throw error;
    }
  }

  async #upload(exchange: Exchange, source: ByteSource, message: Uint8Array): Promise<void> {
    // Message, content and end of a small file leave in one write.
    this.#socket.cork();
    process.nextTick(() => this.#socket.uncork());
    this.#socket.write(message);
    exchange.uploading = true;
    const { socket, window } = { socket: this.#socket, window: this.window };
    const channel = {
      chunkSize: this.chunkSize,
      get stopped() {
        return exchange.stopped;
      },
      get outstanding() {
        return exchange.outstanding;
      },
      send: (bytes: Uint8Array) =>
        new Promise<void>((resolve, reject) => {
          socket.write(bytes, (error) => (error ? reject(error) : resolve()));
        }),
      sent: () => void exchange.outstanding++,
      given: () => exchange.given(),
      unlessStopped: <T>(wait: Promise<T>) => exchange.unlessStopped(wait),
    };
    let complete = false;
    try {
      complete = await (window?.suits(source.size) ? window.send(channel, source) : sendContent(channel, source));
    } catch (error) {
      if (!this.#failure) {
        exchange.localError = new GuestfsError("LOCAL", `the content to send could not be read: ${messageOf(error)}`, {
          procedure: exchange.call.procedure,
          cause: error,
        });
      }
    }
    exchange.uploading = false;
    if (this.#failure) return;
    if (!complete && exchange.call.cancellation.error) exchange.cancelled = true;
    socket.write(complete ? endChunk : cancelChunk);
  }

  #cancelRequested(exchange: Exchange): void {
    if (exchange.call.source) exchange.stop();
    else if (exchange.call.sink) this.#cancelDownload(exchange);
  }

  #cancelDownload(exchange: Exchange): void {
    if (exchange.cancelled || this.#failure) return;
    exchange.cancelled = true;
    if (exchange.complete) this.#finish(exchange);
    else this.#socket.write(cancelFlagFrame);
    this.#resume();
  }

  #pump(): void {
    if (this.#failure) return;
    try {
      if (!this.#greeted) this.#readGreeting();
      while (this.#greeted && !this.#pause) {
        const frame = this.#decoder.next();
        if (!frame) return;
        this.#onFrame(frame);
      }
    } catch (error) {
      this.#lose(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #readGreeting(): void {
    const bytes = this.#decoder.peek();
    if (!this.#recovery) {
      if (bytes.length < 4) return;
      const word = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
      if (word === launchFlag && this.#trust !== "nobody") {
        this.#decoder.skip(4);
        this.#greet();
        return;
      }
      if (this.#trust === "first bytes")
        throw new ProtocolError(`0x${word.toString(16).padStart(8, "0")} where the daemon's greeting should be`);
      this.recover();
    }
    const recovery = this.#recovery as Recovery;
    this.#decoder.skip(recovery.scan(bytes));
    if (recovery.found) this.#greet();
  }

  #greet(): void {
    this.#greeted = true;
    this.#recovery?.stop();
    this.#greeting?.resolve();
    this.#greeting = undefined;
    this.#socket.unref();
  }

  #onFrame(frame: Frame): void {
    switch (frame.type) {
      case "launch":
        // Before the first call it is the one that an earlier client did not take.
        if (this.#serial === firstSerial) return;
        throw new ProtocolError("the daemon greeted again: it was started anew and knows nothing of this conversation");
      case "cancel":
        // Without an upload it is the echo of a cancellation that came too late.
        if (this.#exchange?.uploading) this.#exchange.stop();
        return;
      case "window":
        if (!this.#exchange?.give())
          throw new ProtocolError("the daemon gave back a piece of the window it did not have");
        return;
      case "progress":
        if (frame.progress.serial === this.#exchange?.serial) this.#exchange.call.onProgress?.(frame.progress);
        return;
      case "message":
        this.#onMessage(frame.bytes);
    }
  }

  #onMessage(bytes: Uint8Array): void {
    const exchange = this.#exchange;
    if (!exchange) throw new ProtocolError("a message that answers no call");
    if (exchange.receiving) this.#onChunk(exchange, bytes);
    else this.#onReply(exchange, bytes);
  }

  #onReply(exchange: Exchange, bytes: Uint8Array): void {
    const reader = new Reader(bytes);
    const header = readHeader(reader);
    const { row, procedure, sink } = exchange.call;
    if (header.direction !== "reply") throw new ProtocolError("a call where a reply should be");
    if (header.procedure !== row.proc || header.serial !== exchange.serial)
      // The stock daemon answers a header it refuses with the numbers of the call before.
      throw new ProtocolError(
        `a reply to procedure ${header.procedure}, serial ${header.serial}, where procedure ${row.proc}, serial ${exchange.serial}, was called`,
      );
    if (exchange.uploading) throw new ProtocolError("a reply before the end of the upload");
    if (header.status === "error") {
      const { errno, message } = readErrorBody(reader);
      exchange.remoteError = new RemoteError(message, exchange.knownErrno(errno), { procedure });
      this.#finish(exchange);
      return;
    }
    exchange.readResult(reader);
    if (!sink) {
      this.#finish(exchange);
      return;
    }
    exchange.receiving = true;
    if (exchange.localError) this.#cancelDownload(exchange);
    else if (!exchange.cancelled) this.#deliver(exchange, () => sink.open());
  }

  #onChunk(exchange: Exchange, bytes: Uint8Array): void {
    const sink = exchange.call.sink as ByteSink;
    const chunk = decodeChunk(bytes, this.chunkSize);
    switch (chunk.type) {
      case "data":
        if (!exchange.cancelled) this.#deliver(exchange, () => sink.write(chunk.data));
        return;
      case "cancel":
        if (!exchange.cancelled)
          exchange.remoteError = new RemoteError("file receive cancelled by daemon", "EIO", {
            procedure: exchange.call.procedure,
          });
        this.#finish(exchange);
        return;
      case "end":
        exchange.complete = true;
        if (exchange.cancelled) this.#finish(exchange);
        else this.#deliver(exchange, () => sink.end());
    }
  }

  /** Lets the sink work and reads no more meanwhile; when it fails, the download is cancelled. */
  #deliver(exchange: Exchange, work: () => Promise<void> | undefined): void {
    const failed = (error: unknown): void => {
      if (exchange.cancelled) return;
      exchange.localError ??= new GuestfsError("LOCAL", `what came could not be written: ${messageOf(error)}`, {
        procedure: exchange.call.procedure,
        cause: error,
      });
      if (!exchange.complete) this.#cancelDownload(exchange);
    };
    let wait: Promise<void> | undefined;
    try {
      wait = work();
    } catch (error) {
      failed(error);
    }
    if (!wait) {
      if (exchange.complete) this.#finish(exchange);
      return;
    }
    const pause = (this.#pause = {});
    this.#socket.pause();
    void wait.catch(failed).then(() => {
      // After a cancellation, another call's sink may be busy by now.
      if (this.#pause !== pause) return;
      if (exchange.complete) this.#finish(exchange);
      this.#resume();
    });
  }

  #resume(): void {
    if (!this.#pause) return;
    this.#pause = undefined;
    if (this.#failure) return;
    this.#pump();
    if (!this.#pause && !this.#failure) this.#socket.resume();
  }

  #finish(exchange: Exchange): void {
    // At once: whatever else stands in the same read answers no call.
    this.#exchange = undefined;
    exchange.finish();
  }

  #closedMessage(): string {
    const held = this.#decoder.buffered;
    return held === 0
      ? "the daemon closed the connection"
      : `the daemon closed the connection in the middle of a message (${held} bytes of it had come)`;
  }

  #explained(error: Error, procedure: string): Promise<Error> | Error {
    if (this.explainLoss) return this.explainLoss(error, procedure);
    return new ConnectionClosedError(error.message, { procedure, cause: error });
  }

  #lose(error: Error): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#recovery?.stop();
    this.#greeting?.reject(error);
    this.#greeting = undefined;
    this.#exchange?.fail(error);
    // Whoever has the channel next has the window's place, too.
    if (this.window?.shared === true) void this.window.release().then(() => this.#socket.destroy());
    else this.#socket.destroy();
    if (!this.#ending) this.onLost?.(error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
