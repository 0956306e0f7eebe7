import type { ByteString } from "./byte-string.ts";
import type { Shell } from "./shell.ts";

/** What a command module of `commands/` exports as default. */
export interface Command {
  /**
   * Does the work. Throws what went wrong.
   * @param words the parameters, without the command's name
   */
  run(shell: Shell, words: readonly ByteString[], call: CommandCall): Promise<void>;
}

/** How a command was called, and what it needs to run others. */
export interface CommandCall {
  /** The name it was called by, an alias perhaps, as written. */
  readonly name: string;
  /** Runs a command; throws what went wrong. */
  readonly run: (words: readonly ByteString[]) => Promise<void>;
  /** Runs a command and reports its failure; gives whether there was none. */
  readonly succeeds: (words: readonly ByteString[]) => Promise<boolean>;
}

/** What is known of a command without loading it. */
export interface CommandEntry<Name extends string = string> {
  readonly name: Name;
  readonly aliases: readonly string[];
  /** Ways to call it, without the name. */
  readonly usage: readonly string[];
  /** One line, lower case, for the list of commands. */
  readonly summary: string;
  readonly description: string;
}

/** Names are the same in any case, and with `_` or `-`. */
export function normaliseName(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}
