import { askSecret, CommandLineError } from "guestfs/command-line";
import type { Invocation } from "./options.ts";
import { standardInput } from "./standard-input.ts";

/**
 * Asks for a secret: on the terminal without echo, or as the next line of standard input with
 * `--keys-from-stdin`. Throws CommandLineError when there is neither.
 */
export async function readKey(options: Invocation, what: string): Promise<string> {
  if (!options.keysFromStdin) return askSecret(what, options.echoKeys);
  const line = await standardInput().next();
  if (line === undefined) throw new CommandLineError(`standard input ended before the passphrase for "${what}"`);
  return Buffer.from(line, "latin1").toString("utf8");
}
