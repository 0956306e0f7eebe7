import { existsSync } from "node:fs";
import { isatty } from "node:tty";
import { readOnlyByDefault } from "guestfs/command-line";
import { listenerArgument } from "./remote/listener-argument.ts";
import { parseOptions } from "./options.ts";
import type { Answer, DriveOption, Invocation } from "./options.ts";
import { standardOutput, writeError } from "./output.ts";
import type { PromptConsole } from "./prompt/prompt-console.ts";
import type { RemoteShell } from "./remote/remote-shell.ts";
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
    if (argv[0] === listenerArgument) return await (await import("./remote/serve.ts")).serve();
    const parsed = parseOptions(argv, readOnlyByDefault);
    return "answer" in parsed ? await answer(parsed) : await run(parsed);
  } catch (error) {
    const { describeFailure } = await import("./failure.ts");
    writeError(describeFailure(error, ""));
    return 1;
  }
}

async function run(options: Invocation): Promise<number> {
  for (const warning of options.warnings) writeError(`${warning}\n`);
  const { remote } = options;
  if (remote?.kind === "listen") return (await import("./remote/listen.ts")).listen(options, remote.csh);
  const [{ Shell }, { StandardConsole }, { handleSignals }, { runCommands }] = await Promise.all([
    import("./shell.ts"),
    import("./console.ts"),
    import("./signals.ts"),
    import("./run-commands.ts"),
  ]);
  const understood = withOldInspectorSyntax(options);
  const prompt = await choosePrompt(understood);
  const shell = new Shell(understood, prompt ?? new StandardConsole(understood));
  if (remote !== undefined) shell.remote = await connectRemote(understood, remote.pid);
  const stopSignals = handleSignals(shell);
  let ok = false;
  try {
    ok = await runCommands(shell, prompt);
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

/** The console of a person who is to type the commands; `undefined` when they come from elsewhere. */
async function choosePrompt(options: Invocation): Promise<PromptConsole | undefined> {
  if (options.words.length > 0 || options.file !== undefined || !isatty(0)) return undefined;
  return new (await import("./prompt/prompt-console.ts")).PromptConsole(options);
}

async function connectRemote(options: Invocation, given: string | undefined): Promise<RemoteShell> {
  const pid = given ?? process.env["GUESTFISH_PID"] ?? "";
  if (!/^\d+$/.test(pid))
    throw new ShellError(
      'guestfish: --remote needs the process number of a listening guestfish, as --remote=PID or in $GUESTFISH_PID: start one with: eval "$(guestfish --listen)"',
    );
  const { drives, mounts, inspector, live, keys } = options;
  if (drives.length > 0 || mounts.length > 0 || inspector || live || keys.length > 0)
    throw new ShellError(
      "guestfish: --remote only sends commands: give options about disks to --listen, or send add-drive, run and mount",
    );
  return new (await import("./remote/remote-shell.ts")).RemoteShell(pid);
}

/** `guestfish -i disk.img`: with -i and no disks, the words are disks, or machines of libvirt's, and not commands. */
function withOldInspectorSyntax(options: Invocation): Invocation {
  if (!options.inspector || options.drives.length > 0 || options.words.length === 0) return options;
  const drives = options.words.map((word): DriveOption =>
    word.includes("/") || existsSync(word) ? { kind: "add", source: word } : { kind: "domain", domain: word },
  );
  return { ...options, drives, words: [] };
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
