import {
  chunkMax,
  codecOf,
  encodeErrorReply,
  encodeFlag,
  encodeMessage,
  launchFlag,
  ProtocolError,
  Reader,
} from "@guestfs/protocol";
import type { Header } from "@guestfs/protocol";
import type { Procedure, StringKind } from "@guestfs/schema";
import type { Channel } from "./channel.ts";
import { CallContext } from "./call-context.ts";
import { ConversationEndedError, DaemonError, DownloadCancelledError } from "./daemon-error.ts";
import { DaemonState } from "./daemon-state.ts";
import type { DaemonOptions } from "./daemon-state.ts";
import { DeviceNames } from "./device.ts";
import { describeError, readCall, readCallHeader, rowOf, runCall } from "./dispatch.ts";
import type { Call } from "./dispatch.ts";
import { Wire } from "./wire.ts";

function hasParameter(row: Procedure, kind: StringKind): boolean {
  return row.params.some((parameter) => parameter.of === kind);
}

type Reference = Pick<Header, "procedure" | "serial">;

/** Serves one client from its greeting to its end. */
export class Conversation {
  readonly #wire: Wire;
  readonly #state: DaemonState;
  readonly #devices: DeviceNames;
  readonly #log: ((line: string) => void) | undefined;
  #last: Reference = { procedure: 0, serial: 0 };
  #ending = false;

  constructor(channel: Channel, options: DaemonOptions, log?: (line: string) => void) {
    this.#wire = new Wire(channel);
    this.#state = new DaemonState(options, chunkMax);
    this.#devices = new DeviceNames(options.appliance);
    this.#log = log;
  }

  /**
   * Greets, then answers calls until the client goes away or asks for the end.
   * @returns whether the client asked for the end (`internal_exit`)
   */
  serve(): boolean {
    try {
      this.#wire.send(encodeFlag(launchFlag));
      while (!this.#ending) this.#serveOne();
      return true;
    } catch (error) {
      if (!(error instanceof ConversationEndedError)) throw error;
      this.#log?.(error.message);
      return false;
    } finally {
      this.#state.close();
    }
  }

  #serveOne(): void {
    const frame = this.#wire.receive();
    // The client cancelled a file that had already ended.
    if (frame.type === "cancel") return;
    if (frame.type !== "message") throw new ConversationEndedError(`a ${frame.type} flag where a call must stand`);
    const reader = new Reader(frame.bytes);
    let header: Header;
    try {
      header = readCallHeader(reader);
      if (header.direction !== "call") throw new ProtocolError("unexpected message direction (1)");
      if (header.status !== "ok") throw new ProtocolError("unexpected message status (1)");
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      if (frame.bytes.length < 40)
        throw new ConversationEndedError("a message too short for a header", { cause: error });
      this.#replyError(this.#last, new DaemonError(error.message));
      return;
    }
    this.#last = header;
    this.#answer(header, reader);
  }

  #answer(header: Header, reader: Reader): void {
    const row = rowOf(header.procedure);
    const takesFile = row !== undefined && hasParameter(row, "file-in");
    const givesFile = row !== undefined && hasParameter(row, "file-out");
    const context = new CallContext({
      wire: this.#wire,
      state: this.#state,
      header,
      tellsProgress: row?.progress ?? false,
      sendReply: () => this.#reply(header, row, undefined),
      endAfterReply: () => (this.#ending = true),
    });
    const started = this.#log ? performance.now() : 0;
    let call: Call | undefined;
    try {
      call = readCall(header, reader, this.#state, this.#devices);
      const result = runCall(call, context, this.#devices);
      // A client that sends a file reads the reply only after the file's end.
      if (takesFile) context.input.cancel();
      context.finish();
      if (givesFile) context.output.end();
      else this.#reply(header, row, result);
      this.#log?.(`${call.row.name}: ok, ${(performance.now() - started).toFixed(1)} ms`);
    } catch (error) {
      if (error instanceof ConversationEndedError) throw error;
      if (takesFile) context.input.cancel();
      context.finish();
      const told = describeError(error, call);
      this.#log?.(`${row?.name ?? header.procedure}: ${told.message}`);
      if (context.replied || error instanceof DownloadCancelledError) context.output.abort();
      else this.#replyError(header, told);
    }
  }

  #reply(header: Header, row: Procedure | undefined, result: unknown): void {
    if (!row) return;
    let message: Uint8Array;
    try {
      message = encodeMessage(
        { ...header, direction: "reply", progressHint: 0, optionalMask: 0n, status: "ok" },
        (writer) => codecOf(row).writeResult(writer, result),
      );
    } catch (error) {
      throw new DaemonError(`failed to encode reply body: ${(error as Error).message}`, "", { cause: error });
    }
    this.#wire.send(message);
  }

  #replyError(reference: Reference, error: DaemonError): void {
    const { procedure, serial } = reference;
    this.#wire.send(encodeErrorReply({ procedure, serial }, { errno: error.errno, message: error.message }));
  }
}
