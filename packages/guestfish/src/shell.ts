import type { Guestfs } from "guestfs";
import type { ByteString } from "./byte-string.ts";
import { fromText } from "./byte-string.ts";
import { describeFailure } from "./failure.ts";
import { EventHandlers } from "./event-handlers.ts";
import { openHandle } from "./handle.ts";
import type { Invocation } from "./options.ts";
import { standardOutput, writeError } from "./output.ts";
import type { Output } from "./output.ts";
import type { Script } from "./script.ts";

/** Thrown to stop a command whose failure was already reported. */
export class Reported extends Error {
  override readonly name = "Reported";
}

/** What all commands of one run of guestfish share. */
export class Shell {
  readonly options: Invocation;
  readonly events: EventHandlers = new EventHandlers();
  /** Where the running command prints. */
  output: Output = standardOutput;
  /** The script being read, for messages and here-documents. */
  script: Script | undefined;
  /** A command asked to leave. */
  leaving = false;
  /** A signal asked for the end: the status that says which. */
  endedBy: number | undefined;
  /** A person types the commands: failures do not end the shell. */
  readonly interactive: boolean = false;
  #handle: Guestfs | undefined;
  #running: AbortController | undefined;

  constructor(options: Invocation) {
    this.options = options;
  }

  /** The handle, made when it is first needed. */
  async handle(): Promise<Guestfs> {
    this.#handle ??= await openHandle(this.options);
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
    if (handle === undefined) return;
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

  /** Stops the running call; `false` when there is none, or it was told already. */
  interrupt(): boolean {
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
    if (this.interactive) return "";
    return this.script === undefined ? "*stdin*:0: " : `${this.script.name}:${this.script.line}: `;
  }

  /** Tells about a failure on standard error. */
  report(error: unknown): void {
    if (error instanceof Reported) return;
    writeError(describeFailure(error, this.place));
  }
}
