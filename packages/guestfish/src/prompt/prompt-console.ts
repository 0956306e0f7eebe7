import { openSync } from "node:fs";
import { ReadStream } from "node:tty";
import type { ByteString } from "../byte-string.ts";
import { fromText } from "../byte-string.ts";
import { StandardConsole } from "../console.ts";
import type { Invocation } from "../options.ts";
import { ShellError } from "../shell-error.ts";
import type { LineReader } from "./line-reader.ts";

/** The console of the prompt: what commands read comes from the same terminal as the commands. */
export class PromptConsole extends StandardConsole {
  override readonly interactive = true;
  override readonly progressBars: boolean;
  override readonly place = "";
  /** Where the commands come from, once they do. */
  lines: LineReader | undefined;
  #input: ReadStream | undefined;

  constructor(options: Invocation) {
    super(options);
    this.progressBars = options.progressBars !== false;
  }

  /** What is typed up to Ctrl-D, or until {@link PromptConsole.endInput}. */
  override input(): AsyncIterable<Uint8Array> {
    this.endInput();
    this.#input = new ReadStream(openSync("/dev/tty", "r"));
    this.writeError("Type the content; Ctrl-D at the start of a line ends it.\n");
    return this.#input;
  }

  /** Nothing but the prompt reads from the terminal any more. */
  endInput(): void {
    this.#input?.destroy();
    this.#input = undefined;
  }

  override async heredoc(marker: ByteString): Promise<ByteString> {
    let text = "";
    for (;;) {
      const typed = await this.lines?.next("> ", false);
      if (typed === undefined) throw new ShellError(`guestfish: the input ended before a line '${marker}'`);
      const line = fromText(typed);
      if (line === marker) return text;
      text += `${line}\n`;
    }
  }

  override async askKey(what: string): Promise<string> {
    // What was pasted behind the command is the answer.
    const pasted = this.lines !== undefined && (this.options.keysFromStdin || this.lines.hasEarly);
    return (pasted ? await this.lines?.next("", false) : undefined) ?? super.askKey(what);
  }
}
