import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { fromText } from "./byte-string.ts";
import { splitCommandLine } from "./parse.ts";
import type { PromptConsole } from "./prompt/prompt-console.ts";
import { runScript, tryCommand } from "./run.ts";
import { Script } from "./script.ts";
import { ShellError } from "./shell-error.ts";
import type { Shell } from "./shell.ts";
import { standardInput } from "./standard-input.ts";
import { strerror } from "guestfs/command-line";

/**
 * Does what the options ask for and runs the commands, wherever they come from; gives whether all went well.
 * @param prompt - the shell's console, when a person is to type the commands
 */
export async function runCommands(shell: Shell, prompt?: PromptConsole): Promise<boolean> {
  const { drives, mounts, inspector, words, file: name, keys, live } = shell.options;
  // Opened first, so that nothing is done where it can't be, even when the commands are words.
  await using file = name === undefined ? undefined : await openScript(name);
  if (drives.length > 0 || mounts.length > 0 || keys.length > 0 || inspector || live) {
    const { start } = await import("./start.ts");
    await start(shell);
  }
  if (words.length > 0) return runWords(shell);
  if (file !== undefined && name !== undefined)
    return await runScript(shell, new Script(name, createReadStream("", { fd: file.fd, autoClose: false })));
  if (prompt === undefined) return runScript(shell, standardInput());
  const { runPrompt } = await import("./prompt/run-prompt.ts");
  await runPrompt(shell, prompt);
  return true;
}

async function runWords(shell: Shell): Promise<boolean> {
  for (const command of splitCommandLine(shell.options.words.map(fromText))) {
    shell.begin();
    const ok = await tryCommand(shell, command);
    if (!ok && !command.ignoreErrors) return false;
    if (shell.leaving) return ok;
  }
  return true;
}

function openScript(name: string): Promise<FileHandle> {
  return open(name).catch((error: unknown) => {
    throw new ShellError(`guestfish: -f ${name}: ${strerror(error)}`, { cause: error });
  });
}
