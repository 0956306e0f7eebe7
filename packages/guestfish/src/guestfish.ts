import { parseOptions } from "./options.ts";
import type { Answer, Invocation } from "./options.ts";
import { standardOutput, writeError } from "./output.ts";
import { ShellError } from "./shell-error.ts";

/**
 * Runs guestfish: the options, then the commands of the command line, of `-f FILE` or of standard input.
 * Disks are flushed and closed before it returns. Signals: the first SIGINT cancels the running call;
 * a second one, or SIGTERM or SIGHUP, closes the disks and ends the process. It reads standard input and writes to
 * file descriptors 1 and 2 of this process; it never rejects.
 *
 * @param argv - the words after the program's name; behaviour as guestfish(1) has it
 * @returns the exit status: 0, or 1 when an option was wrong or a command failed without `-` before it
 */
export async function guestfish(argv: readonly string[]): Promise<number> {
  try {
    const parsed = parseOptions(argv);
    return "answer" in parsed ? await answer(parsed) : await run(parsed);
  } catch (error) {
    const { describeFailure } = await import("./failure.ts");
    writeError(describeFailure(error, ""));
    return 1;
  }
}

async function run(options: Invocation): Promise<number> {
  refuse(options);
  for (const warning of options.warnings) writeError(`${warning}\n`);
  const [{ Shell }, { handleSignals }, { runCommands }] = await Promise.all([
    import("./shell.ts"),
    import("./signals.ts"),
    import("./run-commands.ts"),
  ]);
  const shell = new Shell(withOldInspectorSyntax(options));
  const stopSignals = handleSignals(shell);
  let ok = false;
  try {
    ok = await runCommands(shell);
  } finally {
    try {
      await shell.close();
    } catch (error) {
      shell.report(error);
      ok = false;
    }
    stopSignals();
  }
  return shell.endedBy ?? (ok ? 0 : 1);
}

function refuse(options: Invocation): void {
  if (options.remote !== undefined) {
    throw new ShellError(
      `guestfish: --${options.remote.kind === "listen" ? "listen" : "remote"}: remote control comes with the interactive shell, which is not there yet`,
    );
  }
  if (options.words.length === 0 && options.file === undefined && process.stdin.isTTY) {
    throw new ShellError(
      "guestfish: the interactive shell is not there yet: give commands, -f FILE, or a script on standard input\nTry 'guestfish --help'.",
    );
  }
}

/** `guestfish -i disk.img`: with -i and no disks, the words are disks and not commands. */
function withOldInspectorSyntax(options: Invocation): Invocation {
  if (!options.inspector || options.drives.length > 0 || options.words.length === 0) return options;
  return { ...options, drives: options.words.map((source) => ({ kind: "add", source })), words: [] };
}

async function answer(asked: Answer): Promise<number> {
  const { text, status } = await compose(asked);
  await standardOutput.write(Buffer.from(text, "utf8"));
  return status;
}

async function compose(asked: Answer): Promise<{ text: string; status: number }> {
  switch (asked.answer) {
    case "version": {
      const { version } = await import("./version.ts");
      return { text: `guestfish ${version()}\n`, status: 0 };
    }
    case "help":
      return { text: (await import("./usage.ts")).usage(), status: 0 };
    case "long-options":
    case "short-options":
      return {
        text: (await import("./usage.ts")).optionNames(asked.answer === "long-options" ? "long" : "short"),
        status: 0,
      };
    case "prepared-disks":
      return { text: (await import("./prepared-disk.ts")).preparedDiskHelp(), status: 0 };
    case "commands": {
      const { explainCommand, listCommands } = await import("./help.ts");
      if (asked.command === undefined) return { text: listCommands(), status: 0 };
      const text = explainCommand(asked.command);
      if (text === undefined) throw new ShellError(`${asked.command}: unknown command: 'guestfish -h' lists them`);
      return { text, status: 0 };
    }
  }
}
