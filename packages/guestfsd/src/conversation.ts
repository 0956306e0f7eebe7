import {
  chunkMax,
  encodeErrorReply,
  encodeMessage,
  firstSerial,
  ProtocolError,
  Reader,
  readHeader,
  Writer,
} from "@guestfs/protocol";
import type { Header } from "@guestfs/protocol";
import type { Channel } from "./channel.ts";
import { CallContext } from "./call-context.ts";
import { ConversationEndedError, DaemonError, DownloadCancelledError } from "./daemon-error.ts";
import { DaemonState } from "./daemon-state.ts";
import type { DaemonOptions } from "./daemon-state.ts";
import { DeviceNames } from "./device.ts";
import { describeError, planOf, readCall, runCall } from "./dispatch.ts";
import type { Call, Plan } from "./dispatch.ts";
import { Audit } from "./live/audit.ts";
import type { ClientRecord } from "./live/service.ts";
import { Wire } from "./wire.ts";

type Reference = Pick<Header, "procedure" | "serial">;

/** Serves one client from its greeting to its end. */
export class Conversation {
  readonly #wire: Wire;
  #state: DaemonState;
  readonly #devices: DeviceNames;
  readonly #log: ((line: string) => void) | undefined;
  #last: Reference = { procedure: 0, serial: 0 };
  readonly #options: DaemonOptions;
  #record: ClientRecord | undefined;
  readonly #who: string;
  /** Whether the client has called for more than an answer. */
  #used = false;
  #ending = false;
  /** Replies are handed over before the next one is made. */
  readonly #writer = new Writer();

  /** @param who - how the log calls the client */
  constructor(channel: Channel, options: DaemonOptions, log?: (line: string) => void, who = "") {
    this.#wire = new Wire(channel);
    this.#options = options;
    this.#who = who;
    this.#record = options.service?.begin(who);
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
      this.#wire.greet();
      while (!this.#ending) this.#serveOne();
      return true;
    } catch (error) {
      if (!(error instanceof ConversationEndedError)) throw error;
      this.#log?.(error.message);
      return false;
    } finally {
      this.#state.close();
      this.#options.service?.end();
    }
  }

  #serveOne(): void {
    while (this.#state.tend && !this.#wire.hears()) this.#state.tend();
    const frame = this.#wire.receive();
    // The client cancelled a file that had already ended.
    if (frame.type === "cancel") return;
    if (frame.type !== "message") throw new ConversationEndedError(`a ${frame.type} flag where a call must stand`);
    const reader = new Reader(frame.bytes);
    let header: Header;
    try {
      header = readHeader(reader);
      if (header.direction !== "call") throw new ProtocolError("unexpected message direction (1)");
      if (header.status !== "ok") throw new ProtocolError("unexpected message status (1)");
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      if (frame.bytes.length < 40)
        throw new ConversationEndedError("a message too short for a header", { cause: error });
      this.#replyError(this.#last, new DaemonError(error.message));
      return;
    }
    // Its serials begin anew: on a port whose client was replaced in a moment, nothing else may have told so. Elsewhere it would only
    // be a way for a client to get rid of a restriction.
    if (header.serial === firstSerial && this.#used && this.#wire.clientMayBeReplaced) this.#startAnew();
    const plan = planOf(header.procedure);
    const asks = plan?.row.name === "ping_daemon";
    // A question out of the order of serials is how a client begins that may have missed the greeting (PROTOCOL.md).
    if (asks && header.serial !== firstSerial && header.serial !== (this.#last.serial + 1) >>> 0)
      this.#wire.clientRecovers();
    this.#last = header;
    this.#used ||= !asks;
    this.#answer(plan, header, reader);
  }

  /** Another client goes on where one has gone: it gets nothing of what that one had agreed on, opened or frozen. */
  #startAnew(): void {
    this.#log?.("a client begins with its first serial: the one before it is forgotten");
    this.#state.close();
    this.#options.service?.end();
    this.#record = this.#options.service?.begin(this.#who);
    this.#state = new DaemonState(this.#options, chunkMax);
  }

  #answer(plan: Plan | undefined, header: Header, reader: Reader): void {
    const { row, takesFile = false, givesFile = false } = plan ?? {};
    const context = new CallContext({
      wire: this.#wire,
      state: this.#state,
      header,
      tellsProgress: row?.progress ?? false,
      hasFile: takesFile || givesFile,
      sendReply: () => this.#reply(header, plan, undefined),
      endAfterReply: () => (this.#ending = true),
    });
    const started = this.#log ? performance.now() : 0;
    const { service } = this.#options;
    const audit = service && row && new Audit(service.log, this.#record, row);
    let call: Call | undefined;
    this.#devices.forget();
    try {
      call = readCall(plan, header, reader, this.#state, this.#devices, (args) => audit?.asked(args));
      const result = runCall(call, context, this.#devices);
      // A client that sends a file reads the reply only after the file's end.
      if (takesFile) context.input.cancel();
      context.finish();
      if (givesFile) context.output.end();
      else this.#reply(header, plan, result);
      audit?.done();
      this.#log?.(`${call.row.name}: ok, ${(performance.now() - started).toFixed(1)} ms`);
    } catch (error) {
      if (error instanceof ConversationEndedError) {
        audit?.failed(error, true);
        throw error;
      }
      if (takesFile) context.input.cancel();
      context.finish();
      const told = describeError(error, call);
      audit?.failed(told, call !== undefined);
      this.#log?.(`${row?.name ?? header.procedure}: ${told.message}`);
      if (context.replied || error instanceof DownloadCancelledError) context.output.abort();
      else this.#replyError(header, told);
    }
  }

  #reply(header: Header, plan: Plan | undefined, result: unknown): void {
    if (!plan) return;
    let message: Uint8Array;
    try {
      message = encodeMessage(
        {
          procedure: header.procedure,
          direction: "reply",
          serial: header.serial,
          progressHint: 0,
          optionalMask: 0n,
          status: "ok",
        },
        (writer) => plan.codec.writeResult(writer, result),
        this.#writer,
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
