import type { ChildProcess } from "node:child_process";
import { writeSync } from "node:fs";
import type { Writable } from "node:stream";

/** Where what a command prints goes: standard output, or the host command after `|`. */
export interface Output {
  write(bytes: Uint8Array): Promise<void>;
  /** What a child process gets as its standard output. */
  readonly stdio: "inherit" | "ignore" | Writable;
}

/** The reader of our output went away. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

/**
 * Standard output, written at once and not through `process.stdout`: output stays in order with that of
 * child processes, and starting up does not pay for a stream.
 */
export const standardOutput: Output = {
  stdio: "inherit",
  async write(bytes) {
    for (let from = 0; from < bytes.length;) {
      try {
        from += writeSync(1, bytes, from, Math.min(bytes.length - from, 1 << 20));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        // A pipe that someone made non-blocking is full.
        if (code === "EAGAIN") await new Promise((resolve) => setTimeout(resolve, 5));
        else if (code === "EPIPE") throw new OutputClosed("standard output was closed", { cause: error });
        else throw error;
      }
    }
  },
};

/** Writes to standard error at once. */
export function writeError(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Nobody is left to tell.
  }
}

/** The output of one command, going to a host command. */
export class Pipe implements Output {
  readonly stdio: Writable;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #broken = false;
  readonly #failOnBreak: boolean;

  /** `failOnBreak`: a write after the host command stopped reading is an error, as with `--pipe-error`. */
  constructor(child: ChildProcess, failOnBreak: boolean) {
    if (child.stdin === null) throw new TypeError("the host command has no standard input");
    this.#child = child;
    this.stdio = child.stdin;
    this.#failOnBreak = failOnBreak;
    this.stdio.on("error", () => {
      this.#broken = true;
    });
    this.#ended = new Promise((resolve) => {
      child.once("close", () => resolve());
      child.once("error", () => resolve());
    });
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#broken && bytes.length > 0) {
      await new Promise<void>((resolve) => {
        this.stdio.write(bytes, (error) => {
          if (error) this.#broken = true;
          resolve();
        });
      });
    }
    if (this.#broken && this.#failOnBreak) throw new OutputClosed("the host command stopped reading");
  }

  /** Ends the host command's input and waits for it; its status does not matter, as in the stock shell. */
  async end(): Promise<void> {
    this.stdio.end();
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.#ended;
  }
}
