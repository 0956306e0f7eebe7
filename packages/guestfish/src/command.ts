import type { ByteString } from "./byte-string.ts";
import type { Shell } from "./shell.ts";

/** What a command module of `commands/` exports as default. */
export interface Command {
  /**
   * Does the work. Throws what went wrong.
   * @param words the parameters, without the command's name
   * @param name the name it was called by, an alias perhaps, as written
   */
  run(shell: Shell, words: readonly ByteString[], name: string): Promise<void>;
}

/** What is known of a command without loading it. */
export interface CommandEntry {
  readonly name: string;
  readonly aliases: readonly string[];
  /** Ways to call it, without the name. */
  readonly usage: readonly string[];
  /** One line, lower case, for the list of commands. */
  readonly summary: string;
  readonly description: string;
  load(): Promise<{ readonly default: Command }>;
}

/** Names are the same in any case, and with `_` or `-`. */
export function normaliseName(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}
