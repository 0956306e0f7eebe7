import { openSync, writeSync } from "node:fs";
import { ReadStream } from "node:tty";
import { CommandLineError, GivenUp } from "./command-line-error.ts";

/**
 * Asks for a secret on the terminal, where there is one.
 * @param what - the device, or what else it is for
 * @param echo - whether it is shown
 * @throws CommandLineError when there is no terminal; GivenUp when the person wants no more
 */
export async function askSecret(what: string, echo: boolean): Promise<string> {
  let terminal: ReadStream;
  try {
    terminal = new ReadStream(openSync("/dev/tty", "r"));
  } catch (error) {
    throw new CommandLineError(
      `there is no terminal to ask for the passphrase "${what}": use --keys-from-stdin or --key`,
      { cause: error },
    );
  }
  // Before the question, so that a quick answer is not shown either.
  terminal.setRawMode(!echo);
  try {
    writeSync(2, `Enter key or passphrase ("${what}"): `);
    return await readTerminalLine(terminal);
  } finally {
    terminal.setRawMode(false);
    terminal.destroy();
    writeSync(2, "\n");
  }
}

async function readTerminalLine(terminal: ReadStream): Promise<string> {
  let typed = Buffer.alloc(0);
  for await (const chunk of terminal) {
    for (const byte of chunk as Buffer) {
      if (byte === 0x0a || byte === 0x0d) return typed.toString("utf8");
      if (byte === 0x03 || (byte === 0x04 && typed.length === 0)) throw new GivenUp("the passphrase was not given");
      if (byte === 0x7f || byte === 0x08)
        typed = Buffer.from([...typed.toString("utf8")].slice(0, -1).join(""), "utf8");
      else typed = Buffer.concat([typed, Buffer.of(byte)]);
    }
  }
  return typed.toString("utf8");
}
