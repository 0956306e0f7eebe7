import { createInterface } from "node:readline";
import { askSecret, CommandLineError } from "guestfs/command-line";
import type { MachineOptions } from "./options.ts";

let lines: AsyncIterator<string> | undefined;

/**
 * Asks for the passphrase of a device: on the terminal, or as the next line of standard input.
 * @throws CommandLineError when there is none
 */
export async function readKey(options: MachineOptions, device: string): Promise<string> {
  if (!options.keysFromStdin) return askSecret(device, options.echoKeys);
  lines ??= createInterface({ input: process.stdin, terminal: false })[Symbol.asyncIterator]();
  const { value, done } = (await lines.next()) as IteratorResult<string, undefined>;
  if (done === true) throw new CommandLineError(`standard input ended before the passphrase for "${device}"`);
  return value;
}
