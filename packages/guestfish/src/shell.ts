import type { Guestfs } from "guestfs";
import type { ByteString } from "./byte-string.ts";
import { fromText } from "./byte-string.ts";
import type { Console } from "./console.ts";
import { describeFailure } from "./failure.ts";
import { EventHandlers } from "./event-handlers.ts";
import { openHandle } from "./handle.ts";
import type { Invocation } from "./options.ts";
import type { Output } from "./output.ts";
import type { Script } from "./script.ts";

/** Thrown to stop a command whose failure was already reported. */
export class Reported extends Error {
  override readonly name = "Reported";
}

/** Another guestfish that runs the commands instead of this one. */
export interface RemoteCommands {
  /** Has a command run for this shell; throws what {@link Shell.report} tells. */
  run(shell: Shell, words: readonly ByteString[], forgiven: boolean): Promise<void>;
  /** What the end of a line may become there: what to offer, and the end that it replaces. */
  complete(line: string): Promise<readonly [offers: string[], typed: string]>;
}

/** What all commands of one run of guestfish share. */
export class Shell {
  readonly options: Invocation;
  readonly events: EventHandlers = new EventHandlers();
  /** Whom the running command works for. */
  console: Console;
  /** Where the running command prints. */
  output: Output;
  /** The script being read, for messages and here-documents. */
  script: Script | undefined;
  /** A command asked to leave. */
  leaving = false;
  /** A signal asked for the end: the status that says which. */
  endedBy: number | undefined;
  /** Where commands are sent instead of being run here, with `--remote`. */
  remote: RemoteCommands | undefined;
  #handle: Guestfs | undefined;
  #closing: Promise<void> | undefined;
  #running: AbortController | undefined;
  #interrupted = false;

  constructor(options: Invocation, console: Console) {
    this.options = options;
    this.console = console;
    this.output = console.output;
  }

  /** A person types the commands: failures do not end the shell. */
  get interactive(): boolean {
    return this.console.interactive;
  }

  /** The handle, made when it is first needed. */
  async handle(): Promise<Guestfs> {
    this.#handle ??= await openHandle(
      this.options,
      this.console.inherited ? undefined : (text) => this.console.writeError(text),
    );
    return this.#handle;
  }

  /** Whether a handle was made and not closed. */
  get hasHandle(): boolean {
    return this.#handle !== undefined;
  }

  /** Closes the handle, flushing what was written; the next command gets a new one. */
  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    // A signal closes it, and the end of what it has cut short does: both wait for the same.
    this.#closing = handle === undefined ? this.#closing : this.#closeHandle(handle);
    try {
      await this.#closing;
    } finally {
      this.#closing = undefined;
    }
  }

  async #closeHandle(handle: Guestfs): Promise<void> {
    try {
      await handle.shutdown();
    } finally {
      await handle.close();
      this.events.forget();
    }
  }

  /** Runs `work` with a signal that {@link Shell.interrupt} sets off. */
  async interruptible<Value>(work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    const controller = new AbortController();
    if (this.#interrupted) controller.abort();
    const outer = this.#running;
    this.#running = controller;
    try {
      return await work(controller.signal);
    } finally {
      this.#running = outer;
    }
  }

  /** Whether a call runs that {@link Shell.interrupt} can stop. */
  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** A new command begins: what stopped the one before does not matter to it. */
  begin(): void {
    this.#interrupted = false;
  }

  /** Whether the command was told to stop, with every call that it still makes. */
  get interrupted(): boolean {
    return this.#interrupted;
  }

  /** Stops the command and its running call; `false` when there is no such call, or it was told already. */
  interrupt(): boolean {
    this.#interrupted = true;
    if (this.#running === undefined || this.#running.signal.aborted) return false;
    this.#running.abort();
    return true;
  }

  /** Prints bytes as they are. */
  async print(bytes: Uint8Array | ByteString): Promise<void> {
    await this.output.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  /** Prints text in UTF-8. */
  async printText(text: string): Promise<void> {
    await this.print(fromText(text));
  }

  /** What stands before an error of the library: the script and its line, unless a person types. */
  get place(): string {
    if (this.interactive || this.script === undefined) return this.console.place;
    return `${this.script.name}:${this.script.line}: `;
  }

  /** Tells about a failure on standard error. */
  report(error: unknown): void {
    if (error instanceof Reported) return;
    this.console.writeError(describeFailure(error, this.place));
  }
}
