import { chunkMax } from "@guestfs/protocol";
import { attach } from "./attach/attach.ts";
import type { Attachment } from "./attach/attach-method.ts";
import { CallContext } from "./call-context.ts";
import type { Connection } from "./connection.ts";
import { DriveList } from "./drives.ts";
import { CancelledError, ConnectionClosedError, GuestfsError, StateError } from "./errors.ts";
import { EventHub } from "./events.ts";
import { PrivateData } from "./private-data.ts";
import type { Settings } from "./settings.ts";
import { requireConfig, requireReady } from "./state.ts";
import type { HandleState } from "./state.ts";
import { TemporaryFolder } from "./temporary-folder.ts";
import { Turns } from "./turns.ts";

/** What a handle takes beside the settings. */
export interface HandleLimits {
  /** How long reaching a daemon on a socket may take, in milliseconds. */
  readonly launchTimeout: number;
  /** How long `close` waits for a call under way, in milliseconds. */
  readonly closeTimeout: number;
}

/** Our chunk size where the daemon agrees, in bytes: larger ones gain nothing. */
const wantedChunkSize = 256 * 1024;

/** What stands behind a `Guestfs`: its state and everything that belongs to it. */
export class Handle {
  readonly settings: Settings;
  readonly limits: HandleLimits;
  readonly drives: DriveList = new DriveList();
  readonly events: EventHub = new EventHub();
  readonly privateData: PrivateData = new PrivateData();
  readonly turns: Turns = new Turns();
  /** Conversations with daemons that know only the old way to read directories. */
  readonly retiredReaddir: WeakSet<Connection> = new WeakSet();
  readonly temporary: TemporaryFolder = new TemporaryFolder(() => this.settings.tmpdir);
  /** The call that has the turn. */
  current: CallContext | undefined;
  #state: HandleState = "CONFIG";
  #attachment: Attachment | undefined;
  #chunkSizeAgreed = false;
  #lost = "";
  #closed: Promise<void> | undefined;
  #closing = false;
  #launching: AbortController | undefined;

  constructor(settings: Settings, limits: HandleLimits) {
    this.settings = settings;
    this.limits = limits;
  }

  /** A handle that is being closed takes no more calls, so it counts as closed. */
  get state(): HandleState {
    return this.#closing ? "CLOSED" : this.#state;
  }

  get pid(): number | undefined {
    return this.#attachment?.pid;
  }

  /** The conversation with the daemon. @throws StateError unless READY */
  readyConnection(procedure: string): Connection {
    if (this.#closing && this.#attachment && procedure === "close") return this.#attachment.connection;
    requireReady(this.#state, procedure, this.#lost);
    return (this.#attachment as Attachment).connection;
  }

  /** Asks the daemon, once for each conversation, whether it takes larger chunks. */
  async agreeOnChunkSize(connection: Connection): Promise<void> {
    if (this.#chunkSizeAgreed) return;
    this.#chunkSizeAgreed = true;
    const context = new CallContext(this, this.current?.procedure ?? "");
    try {
      const group = await context.call("internal_feature_available", { group: "guestfs-extensions" });
      if (group !== 0) return;
      const agreed = await context.call("extension_set_chunk_size", { size: wantedChunkSize });
      if (agreed >= chunkMax && agreed <= wantedChunkSize && agreed % 4 === 0) connection.chunkSize = agreed;
    } catch (error) {
      // Daemons before 1.31 do not know the question.
      if (!(error instanceof GuestfsError) || error.code !== "REMOTE") throw error;
    }
  }

  debug(message: string): void {
    if (!this.settings.verbose) return;
    if (!this.events.emit("library", { message })) process.stderr.write(`libguestfs: ${message}\n`);
  }

  warn(message: string): void {
    if (!this.events.emit("warning", { message })) process.stderr.write(`libguestfs: warning: ${message}\n`);
  }

  trace(message: string): void {
    const { identifier } = this.settings;
    const line = identifier === "" ? message : `${identifier}: ${message}`;
    if (!this.events.emit("trace", { message: line })) process.stderr.write(`libguestfs: trace: ${line}\n`);
  }

  applianceSaid(text: string): void {
    if (!this.events.emit("appliance", { text }) && this.settings.verbose) process.stderr.write(text);
  }

  async launch(context: CallContext): Promise<void> {
    requireConfig(this.#state, context.procedure);
    this.#state = "LAUNCHING";
    this.#lost = "";
    const stop = (this.#launching = new AbortController());
    const signal = context.signal ? AbortSignal.any([context.signal, stop.signal]) : stop.signal;
    try {
      const attachment = await attach(this, context, signal);
      const { connection } = attachment;
      if (connection.failure) throw connection.failure;
      connection.explainLoss = (error, procedure) => this.#explainLoss(attachment, error, procedure);
      connection.onLost = (error) => this.#onLost(attachment, error);
      this.#attachment = attachment;
      this.#chunkSizeAgreed = false;
      this.#state = "READY";
    } catch (error) {
      this.#state = "CONFIG";
      throw error;
    } finally {
      this.#launching = undefined;
    }
    this.events.emit("launch_done", {});
  }

  /** Stops a call under way: a transfer, or the launch. */
  userCancel(): void {
    if (this.#launching) this.#launching.abort(new Error("user_cancel was called"));
    const { current } = this;
    if (current?.cancellation.stoppable === true)
      current.cancellation.cancel(new CancelledError("operation cancelled by user", { procedure: current.procedure }));
  }

  /** Syncs, and ends the conversation and the appliance; the drives are forgotten. Nothing happens unless READY. */
  async shutdown(context: CallContext): Promise<void> {
    const attachment = this.#attachment;
    if (!attachment) return;
    try {
      if (this.settings.autosync) await context.call("internal_autosync", {});
    } finally {
      // What ends now was asked to.
      attachment.connection.end(new ConnectionClosedError("the handle was shut down"));
      await this.#forget(attachment);
    }
  }

  /** Closes the handle. Each call gives the same promise. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing = true;
    this.turns.refuse(
      new StateError("the handle is in state CLOSED: it was closed while the call waited", "CLOSED", {}),
    );
    if (this.turns.busy) await this.#endCurrentCall();
    try {
      await this.shutdown(new CallContext(this, "close"));
    } finally {
      this.#state = "CLOSED";
      this.events.emit("close", {});
      this.privateData.clear();
      this.events.clear();
      await this.temporary.remove();
    }
  }

  /** Lets a call under way end, cancels it where that goes, and cuts the line when it takes too long. */
  async #endCurrentCall(): Promise<void> {
    this.#launching?.abort(new Error("the handle was closed"));
    const { current } = this;
    if (current?.cancellation.stoppable === true)
      current.cancellation.cancel(new CancelledError("the handle was closed", { procedure: current.procedure }));
    const turn = Promise.resolve(this.turns.enter());
    const timer = setTimeout(() => {
      const attachment = this.#attachment;
      attachment?.connection.end(new ConnectionClosedError("the handle was closed before the daemon answered"));
      if (attachment) void this.#forget(attachment).catch(() => undefined);
    }, this.limits.closeTimeout);
    try {
      await turn;
    } finally {
      clearTimeout(timer);
    }
  }

  async #explainLoss(attachment: Attachment, error: Error, procedure: string): Promise<Error> {
    const end = await attachment.processEnd();
    const status =
      end.signal !== null ? `, signal ${end.signal}` : end.exitCode !== null ? `, exit status ${end.exitCode}` : "";
    const what = attachment.pid === undefined ? error.message : `the appliance went away${status} (${error.message})`;
    const evidence = end.consoleTail === "" ? "" : `\nThe last of its console:\n${end.consoleTail.trimEnd()}`;
    if (error instanceof ConnectionClosedError) return new ConnectionClosedError(error.message, { procedure, ...end });
    if (error.name === "ProtocolError")
      return Object.assign(error, { message: `${procedure}: ${error.message}${evidence}` });
    return new ConnectionClosedError(`${what}${evidence}`, { procedure, cause: error, ...end });
  }

  #onLost(attachment: Attachment, error: Error): void {
    this.#lost = error.message;
    void this.#forget(attachment).catch((failure: unknown) => this.warn(String(failure)));
    this.events.emit("subprocess_quit", { reason: error.message });
  }

  async #forget(attachment: Attachment): Promise<void> {
    if (this.#attachment !== attachment) return;
    this.#attachment = undefined;
    this.#state = "CONFIG";
    this.drives.clear();
    await attachment.stop();
    await this.temporary.remove();
  }
}
