import type { Writable } from "node:stream";

/** How far a call has come. */
export interface ProgressReport {
  /** 0 to `total`, in units of the call's own; bytes for transfers */
  readonly position: number;
  /** 1 with position 0, again and again, when the call can't tell how far it is */
  readonly total: number;
}

/** Taken by every call, beside its own optional arguments. */
export interface CallOptions {
  /** Stops the call; it rejects with a `CancelledError`. */
  signal?: AbortSignal | undefined;
  /** Told now and then how far the call has come; never for calls that end within 2 seconds. What it throws is a warning on standard error. */
  onProgress?: ((progress: ProgressReport) => void) | undefined;
}

/** Content to send: the path of a file of this machine, bytes, or a stream (also `Readable` and `ReadableStream`). */
export type FileSource = string | Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Where content goes: the path of a file of this machine (made or truncated), or a stream, which is ended. */
export type FileSink = string | Writable | WritableStream<Uint8Array>;
