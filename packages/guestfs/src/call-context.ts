import type { ProcedureMap } from "@guestfs/schema";
import { procedureByName } from "@guestfs/schema";
import { chunkMax } from "@guestfs/protocol";
import type { Progress } from "@guestfs/protocol";
import type { ProgressReport } from "./call-options.ts";
import { Cancellation } from "./cancellation.ts";
import type { Connection } from "./connection.ts";
import { GuestfsError, RemoteError, UnsupportedError } from "./errors.ts";
import { guarded } from "./events.ts";
import type { Handle } from "./handle.ts";
import type { ByteSink } from "./transfer/byte-sink.ts";
import type { ByteSource } from "./transfer/byte-source.ts";
import { MemorySink } from "./transfer/memory-sink.ts";
import type { TransferWindow } from "./transfer/window.ts";

/** Our chunk size where the daemon agrees, in bytes: larger ones gain nothing. */
const wantedChunkSize = 256 * 1024;

/** The file of a call that has one. */
export interface CallFile {
  readonly source?: ByteSource;
  readonly sink?: ByteSink;
}

/** One call of a method, which may take several calls of the daemon. */
export class CallContext {
  readonly handle: Handle;
  /** Wire name of the method, which all its errors name. */
  readonly procedure: string;
  readonly signal: AbortSignal | undefined;
  readonly cancellation: Cancellation = new Cancellation();
  readonly #onProgress: (progress: Progress) => void;

  constructor(
    handle: Handle,
    procedure: string,
    signal?: AbortSignal,
    onProgress?: (progress: ProgressReport) => void,
  ) {
    this.handle = handle;
    this.procedure = procedure;
    this.signal = signal;
    this.#onProgress = (progress) => {
      handle.events.emit("progress", progress);
      if (onProgress) guarded("onProgress", () => onProgress({ position: progress.position, total: progress.total }));
    };
  }

  /** Calls the daemon. */
  async call<N extends keyof ProcedureMap>(
    name: N,
    args: ProcedureMap[N]["args"],
    file?: CallFile,
  ): Promise<ProcedureMap[N]["returns"]> {
    const row = procedureByName.get(name);
    if (!row) throw new TypeError(`no procedure ${name} in the schema`);
    try {
      this.cancellation.check();
      const connection = this.handle.readyConnection(this.procedure);
      if (this.handle.attachment?.refuses?.(name) === true)
        throw new GuestfsError(
          "LOCAL",
          "refused: the machine was attached read-only, and this call may change it (its daemon is not ours, so the library sees to that)",
          { procedure: this.procedure },
        );
      if (file && !connection.transferAgreed) await this.#agreeOnTransfer(connection);
      if (file?.source && connection.hasExtensions === true && connection.window?.wanted(file.source.size) === true)
        await this.#openWindow(connection.window);
      const result = await connection.call({
        row,
        procedure: this.procedure,
        args,
        source: file?.source,
        sink: file?.sink,
        cancellation: this.cancellation,
        onProgress: this.#onProgress,
      });
      return result as ProcedureMap[N]["returns"];
    } catch (error) {
      if (row.group !== undefined && error instanceof RemoteError && error.errno === "ENOTSUP")
        throw new UnsupportedError(error.message.slice(this.procedure.length + 2), row.group, {
          procedure: this.procedure,
          cause: error,
        });
      throw error;
    } finally {
      await file?.source?.close();
    }
  }

  /** Asks the daemon, once for each conversation, whether it takes larger chunks. */
  async #agreeOnTransfer(connection: Connection): Promise<void> {
    if (await this.hasExtensions()) {
      try {
        const agreed = await this.call("extension_set_chunk_size", { size: wantedChunkSize });
        if (agreed >= chunkMax && agreed <= wantedChunkSize && agreed % 4 === 0) connection.chunkSize = agreed;
      } catch (error) {
        // Chunks of the usual size will do.
        if (!(error instanceof RemoteError)) throw error;
      }
    }
    connection.transferAgreed = true;
  }

  /** Whether the daemon is ours; it is asked once for each conversation. */
  async hasExtensions(): Promise<boolean> {
    const connection = this.handle.readyConnection(this.procedure);
    connection.hasExtensions ??= await this.#saysItHasExtensions();
    return connection.hasExtensions;
  }

  async #saysItHasExtensions(): Promise<boolean> {
    try {
      return (await this.call("internal_feature_available", { group: "guestfs-extensions" })) === 0;
    } catch (error) {
      // Daemons before 1.31 do not know the question.
      if (!(error instanceof RemoteError)) throw error;
      return false;
    }
  }

  /** Asks the daemon whether it sees our window. */
  async #openWindow(window: TransferWindow): Promise<void> {
    try {
      const token = await window.mark();
      window.open(
        await this.call("extension_open_window", window.start === 0 ? { token } : { token, offset: window.start }),
      );
    } catch (error) {
      // Content goes with the conversation then.
      if (!(error instanceof RemoteError)) throw error;
      window.open(0);
    }
  }

  /**
   * Calls the daemon and keeps the content that it sends in memory.
   * @param limit - most bytes to take: what comes is the image's or the daemon's choice. Without it, what one array can hold
   * @throws GuestfsError with code LOCAL when there is more
   */
  async callForContent<N extends keyof ProcedureMap>(
    name: N,
    args: ProcedureMap[N]["args"],
    limit?: number,
  ): Promise<Uint8Array> {
    const sink = new MemorySink(limit);
    await this.call(name, args, { sink });
    return sink.bytes();
  }

  /** Reports how far the method has come, in units of its own. */
  progress(position: number, total: number): void {
    this.#onProgress({ procedure: 0, serial: 0, position, total });
  }
}
