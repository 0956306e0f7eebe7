import { errnoNames } from "@guestfs/schema";
import { ProtocolError } from "@guestfs/protocol";
import type { ProcedureCodec, Reader } from "@guestfs/protocol";
import type { RemoteError } from "./errors.ts";
import type { WireCall } from "./wire-call.ts";

const knownErrnos: ReadonlySet<string> = new Set(errnoNames);

/** How far a call and its reply have come. */
export class Exchange {
  readonly call: WireCall;
  readonly codec: ProcedureCodec;
  readonly serial: number;
  /** Settles when nothing more of this call will come. */
  readonly done: Promise<void>;
  /** Pieces of the window that the daemon has not given back. */
  outstanding = 0;
  result: unknown;
  remoteError: RemoteError | undefined;
  /** The caller's file or stream failed, or the result makes no sense. */
  localError: Error | undefined;
  /** Chunks are on their way to the daemon. */
  uploading = false;
  /** The reply has come, chunks follow. */
  receiving = false;
  /** The end of the chunks has come: the sink has all of them, and may be busy with the last. */
  complete = false;
  /** The caller wants no more, and the daemon was told while it had more to send. */
  cancelled = false;
  #stopped = false;
  #wake: (() => void) | undefined;
  #onGiven: (() => void) | undefined;
  #resolve!: () => void;
  #reject!: (error: Error) => void;

  constructor(call: WireCall, codec: ProcedureCodec, serial: number) {
    this.call = call;
    this.codec = codec;
    this.serial = serial;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // An upload learns of a failure by being stopped, before it looks at this.
    this.done.catch(() => undefined);
  }

  /** The upload has to stop. */
  get stopped(): boolean {
    return this.#stopped;
  }

  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  /**
   * The daemon has given a piece of the window back.
   * @returns whether there was one to give
   */
  give(): boolean {
    if (this.outstanding === 0) return false;
    this.outstanding--;
    this.#onGiven?.();
    return true;
  }

  /** Settles when {@link outstanding} becomes less. */
  given(): Promise<void> {
    return new Promise((resolve) => {
      this.#onGiven = resolve;
    });
  }

  /** Takes the result from a reply. A reply ends where its frame does, so that one which makes no sense is this call's alone. */
  readResult(reader: Reader): void {
    try {
      this.result = this.codec.readResult(reader);
    } catch (error) {
      const { message } = error as Error;
      const { procedure } = this.call;
      this.localError = new ProtocolError(message.startsWith(`${procedure}: `) ? message : `${procedure}: ${message}`, {
        cause: error,
      });
    }
  }

  finish(): void {
    this.#resolve();
  }

  fail(error: Error): void {
    this.stop();
    this.#reject(error);
  }

  /** Waits for the promise, but no longer than until the upload has to stop; then `undefined`. */
  unlessStopped<T>(wait: Promise<T>): Promise<T | undefined> {
    if (this.#stopped) {
      wait.catch(() => undefined);
      return Promise.resolve(undefined);
    }
    return new Promise((resolve, reject) => {
      this.#wake = () => resolve(undefined);
      wait.then(resolve, reject);
    });
  }

  async abortSink(error: unknown): Promise<void> {
    await this.call.sink?.abort(error instanceof Error ? error : new Error(String(error)));
  }

  /** A name that errno(3) does not have is `EINVAL`, as libguestfs has it. */
  knownErrno(name: string): string {
    return name === "" || knownErrnos.has(name) ? name : "EINVAL";
  }
}
