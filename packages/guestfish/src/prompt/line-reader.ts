import { createInterface } from "node:readline";
import type { Interface } from "node:readline";

/** What completes a line at its end: what to offer, and the end of the line that each of them replaces. */
export type LineCompleter = (line: string) => Promise<readonly [offers: string[], typed: string]>;

/**
 * Reads lines that a person edits, from standard input. The terminal is in its ordinary mode whenever no line is
 * being read, so that Ctrl-C is a signal then and child processes find the terminal as they expect it.
 */
export class LineReader {
  readonly #readline: Interface;
  readonly #complete: LineCompleter;
  #history: string[] = [];
  /** Lines that came before they were asked for: a paste. */
  readonly #early: string[] = [];
  #waiting: ((line: string | undefined) => void) | undefined;
  #completing = true;
  #ended = false;

  /** `history`: newest first. */
  constructor(history: readonly string[], complete: LineCompleter) {
    this.#complete = complete;
    this.#readline = createInterface({
      input: process.stdin,
      output: process.stdout,
      terminal: true,
      history: [...history],
      historySize: Math.max(1000, history.length),
      completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
        this.#offer(line).then(
          ([offers, typed]) => done(null, [offers, typed]),
          () => done(null, [[], line]),
        );
      },
    });
    this.#readline
      .on("history", (lines) => (this.#history = lines))
      .on("line", (line) => this.#arrived(line))
      .on("SIGINT", () => this.#discard())
      .on("close", () => {
        this.#ended = true;
        this.#settle(undefined);
      });
    this.#suspend();
  }

  /** Whether a line is there already. */
  get hasEarly(): boolean {
    return this.#early.length > 0;
  }

  /**
   * The next line; `undefined` after Ctrl-D.
   * @param command - Tab completes it, Ctrl-C begins it anew, and it can be had again; otherwise Ctrl-C gives
   * `undefined` as well
   */
  async next(prompt: string, command: boolean): Promise<string | undefined> {
    const early = this.#early.shift();
    if (early !== undefined) {
      // It was shown without a prompt, before what the commands in front of it print.
      if (command) process.stdout.write(`${prompt}${early}\n`);
      else this.#forget(early);
      return early;
    }
    if (this.#ended) return undefined;
    this.#completing = command;
    const line = await new Promise<string | undefined>((resolve) => {
      this.#waiting = resolve;
      process.stdin.setRawMode(true);
      this.#readline.setPrompt(prompt);
      this.#readline.prompt(true);
    });
    if (!command && line !== undefined) this.#forget(line);
    // The beginning of a line that was pasted behind this one comes again after its output.
    if (this.#readline.line !== "") process.stdout.write("\n");
    return line;
  }

  close(): void {
    this.#readline.close();
  }

  #arrived(line: string): void {
    if (this.#waiting === undefined) this.#early.push(line);
    else this.#settle(line);
  }

  #settle(line: string | undefined): void {
    this.#suspend();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(line);
  }

  #suspend(): void {
    process.stdin.setRawMode(false);
    this.#readline.pause();
  }

  /** Ctrl-C: the line is gone, and what was pasted with it. */
  #discard(): void {
    this.#early.length = 0;
    this.#readline.write(null, { ctrl: true, name: "e" });
    this.#readline.write(null, { ctrl: true, name: "u" });
    process.stdout.write("^C\n");
    if (this.#completing) this.#readline.prompt();
    else this.#settle(undefined);
  }

  #forget(line: string): void {
    const at = this.#history.indexOf(line);
    if (at !== -1) this.#history.splice(at, 1);
  }

  async #offer(line: string): Promise<readonly [string[], string]> {
    return this.#completing ? this.#complete(line) : [[], line];
  }
}
