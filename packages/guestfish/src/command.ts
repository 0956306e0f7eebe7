import type { ByteString } from "./byte-string.ts";
import type { Shell } from "./shell.ts";

/** What a command module of `commands/` exports as default. */
export interface Command {
  /**
   * Does the work. Throws what went wrong.
   * @param words the parameters, without the command's name
   * @param name the name it was called by, an alias perhaps, as written
   * @param runner what runs the commands of a command that has some
   */
  run(shell: Shell, words: readonly ByteString[], name: string, runner: CommandRunner): Promise<void>;
}

/** Runs commands of a shell. */
export interface CommandRunner {
  /** Runs one; throws what went wrong. */
  run(words: readonly ByteString[]): Promise<void>;
  /** Runs one and reports its failure; gives whether it succeeded. */
  succeeds(words: readonly ByteString[]): Promise<boolean>;
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
