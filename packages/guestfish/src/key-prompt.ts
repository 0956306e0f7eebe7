import { openSync } from "node:fs";
import { ReadStream } from "node:tty";
import type { Invocation } from "./options.ts";
import { writeError } from "./output.ts";
import { Interrupted, ShellError } from "./shell-error.ts";
import { standardInput } from "./standard-input.ts";

/**
 * Asks for a secret: on the terminal without echo, or as the next line of standard input with
 * `--keys-from-stdin`. Throws {@link ShellError} when there is neither.
 */
export async function readKey(options: Invocation, what: string): Promise<string> {
  if (options.keysFromStdin) {
    const line = await standardInput().next();
    if (line === undefined) throw new ShellError(`guestfish: standard input ended before the passphrase for "${what}"`);
    return Buffer.from(line, "latin1").toString("utf8");
  }
  let terminal: ReadStream;
  try {
    terminal = new ReadStream(openSync("/dev/tty", "r"));
  } catch (error) {
    throw new ShellError(
      `guestfish: there is no terminal to ask for the passphrase "${what}": use --keys-from-stdin or --key`,
      { cause: error },
    );
  }
  writeError(`Enter key or passphrase ("${what}"): `);
  terminal.setRawMode(!options.echoKeys);
  try {
    return await readTerminalLine(terminal);
  } finally {
    terminal.setRawMode(false);
    terminal.destroy();
    writeError("\n");
  }
}

async function readTerminalLine(terminal: ReadStream): Promise<string> {
  let typed = Buffer.alloc(0);
  for await (const chunk of terminal) {
    for (const byte of chunk as Buffer) {
      if (byte === 0x0a || byte === 0x0d) return typed.toString("utf8");
      if (byte === 0x03 || (byte === 0x04 && typed.length === 0)) throw new Interrupted("the passphrase was not given");
      if (byte === 0x7f || byte === 0x08)
        typed = Buffer.from([...typed.toString("utf8")].slice(0, -1).join(""), "utf8");
      else typed = Buffer.concat([typed, Buffer.of(byte)]);
    }
  }
  return typed.toString("utf8");
}
