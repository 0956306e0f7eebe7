import type { ByteString } from "./byte-string.ts";
import type { Invocation } from "./options.ts";
import { standardOutput, writeError } from "./output.ts";
import type { Output } from "./output.ts";
import { standardInput } from "./standard-input.ts";

/** The person or the program that commands work for: where they print, what they read, whom they ask. */
export interface Console {
  readonly output: Output;
  /** A person types the commands: failures do not end the shell. */
  readonly interactive: boolean;
  readonly progressBars: boolean;
  /** Whether programs that we start may use our own standard streams: they are the console's. */
  readonly inherited: boolean;
  /** What stands before an error of the library when no script is read. */
  readonly place: string;
  writeError(text: string): void;
  /** Standard input to its end, for `-`. */
  input(): AsyncIterable<Uint8Array>;
  /** The lines up to `marker`, for `-<<MARKER`. */
  heredoc(marker: ByteString): Promise<ByteString>;
  /** Asks for a secret; throws GivenUp when the person wants no more, CommandLineError when nobody can be asked. */
  askKey(what: string): Promise<string>;
  /** Runs a command of the host that may use the terminal; gives its exit status. */
  runHostCommand(command: ByteString, output: Output): Promise<number>;
}

/** The console of command lines and scripts: this process's standard input, output and error. */
export class StandardConsole implements Console {
  readonly output: Output = standardOutput;
  readonly interactive: boolean = false;
  readonly progressBars: boolean;
  readonly inherited = true;
  readonly place: string = "*stdin*:0: ";
  protected readonly options: Invocation;

  constructor(options: Invocation) {
    this.options = options;
    this.progressBars = options.progressBars === true;
  }

  writeError(text: string): void {
    writeError(text);
  }

  input(): AsyncIterable<Uint8Array> {
    return standardInput().rest();
  }

  heredoc(marker: ByteString): Promise<ByteString> {
    return standardInput().heredoc(marker);
  }

  async askKey(what: string): Promise<string> {
    const { readKey } = await import("./key-prompt.ts");
    return readKey(this.options, what);
  }

  async runHostCommand(command: ByteString, output: Output): Promise<number> {
    const { runHostCommand } = await import("./host-shell.ts");
    return runHostCommand(command, output, "inherit");
  }
}
