import { existsSync } from "node:fs";
import { GivenUp } from "guestfs/command-line";
import type { ByteString } from "./byte-string.ts";
import { toText } from "./byte-string.ts";
import { commandModules } from "./command-modules.ts";
import { findShellCommand, shellCommands } from "./commands.ts";
import { OutputClosed, Pipe } from "./output.ts";
import { parseLine } from "./parse.ts";
import type { ScriptLine } from "./parse.ts";
import { Script } from "./script.ts";
import { ShellError, SyntaxFault } from "./shell-error.ts";
import { Reported } from "./shell.ts";
import type { Shell } from "./shell.ts";
import { hostInput } from "./standard-input.ts";
import { expandTilde } from "./tilde.ts";

/**
 * Runs one command given as words; throws what went wrong.
 * @param forgiven - its failure does not end what runs it: matters to the other end of `--remote`
 */
export async function runCommand(shell: Shell, words: readonly ByteString[], forgiven = false): Promise<void> {
  if (shell.remote !== undefined) return shell.remote.run(shell, words, forgiven || shell.interactive);
  const [first = "", ...rest] = words;
  const name = toText(first);
  const own = findShellCommand(name);
  if (own !== undefined) {
    const command = (await commandModules[own.name]()).default;
    return command.run(shell, rest, {
      name,
      run: (inner) => runCommand(shell, inner),
      succeeds: (inner) => tryCommand(shell, { words: inner, ignoreErrors: true }),
    });
  }
  const { findProcedure } = await import("./procedure-names.ts");
  const row = findProcedure(name);
  if (row === undefined) throw new ShellError(`${name}: unknown command${await suggestion(name)}`);
  const { callProcedure } = await import("./call-procedure.ts");
  await callProcedure(shell, row, name, rest);
}

/** A command with what belongs to it. */
export interface CommandToTry {
  readonly words: readonly ByteString[];
  readonly ignoreErrors: boolean;
  /** A command of the host that gets the output. */
  readonly pipe?: ByteString;
}

/** Runs a command and reports its failure; gives whether it succeeded. */
export async function tryCommand(shell: Shell, { words, ignoreErrors, pipe }: CommandToTry): Promise<boolean> {
  try {
    if (pipe === undefined) await runCommand(shell, words, ignoreErrors);
    else await runPiped(shell, words, ignoreErrors, pipe);
    return true;
  } catch (error) {
    shell.report(error);
    // Nobody reads what would follow; and Ctrl-C means the script as well as its command.
    if ((error instanceof OutputClosed && pipe === undefined) || (error instanceof GivenUp && !shell.interactive))
      shell.leaving = true;
    return false;
  }
}

/**
 * Runs a script to its end, or to the first failure that counts; gives whether there was none.
 * @param forgiven - no failure counts
 */
export async function runScript(shell: Shell, script: Script, forgiven = false): Promise<boolean> {
  const outer = shell.script;
  shell.script = script;
  try {
    for (let line = await script.next(); line !== undefined; line = await script.next()) {
      const ok = await runLine(shell, line);
      if (!ok && !shell.interactive && !forgiven) return false;
      if (shell.leaving) break;
    }
    return true;
  } finally {
    shell.script = outer;
  }
}

/** Runs one line; gives `false` for a failure that counts. */
export async function runLine(shell: Shell, text: ByteString): Promise<boolean> {
  let line: ScriptLine;
  try {
    line = parseLine(text, expandTilde);
  } catch (error) {
    shell.report(error);
    return error instanceof SyntaxFault && error.ignoreErrors;
  }
  if (line.kind === "blank") return true;
  shell.begin();
  const ok = line.kind === "host" ? await runHost(shell, line) : await tryCommand(shell, line);
  return ok || line.ignoreErrors;
}

async function runHost(shell: Shell, line: ScriptLine & { kind: "host" }): Promise<boolean> {
  try {
    const { captureHostCommand, runHostCommand } = await import("./host-shell.ts");
    if (!line.inline) return (await runHostCommand(line.command, shell.output, hostInput())) === 0;
    const { status, output } = await captureHostCommand(line.command, hostInput());
    const inner = new Script("*stdin*", output);
    return (await runScript(shell, inner, line.ignoreErrors)) && status === 0;
  } catch (error) {
    shell.report(error);
    return false;
  }
}

async function runPiped(
  shell: Shell,
  words: readonly ByteString[],
  ignoreErrors: boolean,
  command: ByteString,
): Promise<void> {
  const { startHostCommand } = await import("./host-shell.ts");
  const outer = shell.output;
  const pipe = new Pipe(startHostCommand(command, ["pipe", outer.stdio, "inherit"]), shell.options.pipeError);
  shell.output = pipe;
  try {
    await runCommand(shell, words, ignoreErrors);
  } catch (error) {
    shell.report(error);
    throw new Reported(undefined, { cause: error });
  } finally {
    shell.output = outer;
    await pipe.end();
  }
}

async function suggestion(name: string): Promise<string> {
  if (existsSync(name) && name !== "") return `\nTo open a disk image: guestfish -a ${name}`;
  const { namesOf, shellProcedures } = await import("./procedure-names.ts");
  const { nearest } = await import("./nearest.ts");
  const names = [
    ...shellCommands.flatMap((entry) => [entry.name, ...entry.aliases]),
    ...shellProcedures().flatMap(namesOf),
  ];
  const near = nearest(name, names);
  return near === undefined ? "\n'guestfish -h' lists the commands" : `: is it '${near}'?`;
}
