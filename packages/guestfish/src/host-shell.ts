import { spawn } from "node:child_process";
import type { ChildProcess, StdioOptions } from "node:child_process";
import { constants } from "node:os";
import type { ByteString } from "./byte-string.ts";
import { toText } from "./byte-string.ts";
import { noteHostCommand } from "./host-commands.ts";
import type { Output } from "./output.ts";

/** Starts a command of the host under `/bin/sh -c`. */
export function startHostCommand(
  command: ByteString,
  stdio: StdioOptions,
  shell = "/bin/sh",
  args: readonly string[] = [],
): ChildProcess {
  const child = spawn(shell, ["-c", toText(command), ...args], { stdio });
  noteHostCommand(child);
  return child;
}

/** Runs a command of the host to its end; gives its exit status (128 plus the number of a signal). */
export async function runHostCommand(
  command: ByteString,
  output: Output,
  input: "inherit" | "ignore",
): Promise<number> {
  return finished(startHostCommand(command, [input, output.stdio, "inherit"]));
}

/** Runs a command of the host and gives what it printed, with its exit status. */
export async function captureHostCommand(
  command: ByteString,
  input: "inherit" | "ignore",
): Promise<{ status: number; output: ByteString }> {
  const child = startHostCommand(command, [input, "pipe", "inherit"]);
  const chunks: Buffer[] = [];
  child.stdout!.on("data", (chunk: Buffer) => chunks.push(chunk));
  const status = await finished(child);
  return { status, output: Buffer.concat(chunks).toString("latin1") };
}

/** Quotes text as one word for `/bin/sh`. */
export function quoteForHost(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function finished(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => resolve(status ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
