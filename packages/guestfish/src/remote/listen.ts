import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { StandardConsole } from "../console.ts";
import type { Invocation } from "../options.ts";
import { ShellError } from "../shell-error.ts";
import { Shell } from "../shell.ts";
import { handleSignals } from "../signals.ts";
import { listenerArgument } from "./listener-argument.ts";
import { RemoteShell } from "./remote-shell.ts";
import { makeSocketFolder } from "./socket-path.ts";

/**
 * Starts a guestfish in the background that has done what the options ask for, and prints what tells the shell its
 * number (guestfish(1), REMOTE CONTROL GUESTFISH OVER A SOCKET). Gives the exit status.
 */
export async function listen(options: Invocation, csh: boolean): Promise<number> {
  makeSocketFolder();
  const pid = await startListener(options);
  // Keys are asked for here, errors are told here, and Ctrl-C ends both.
  const shell = new Shell(options, new StandardConsole(options));
  const stopSignals = handleSignals(shell);
  try {
    await new RemoteShell(String(pid)).run(shell, [], false);
    await shell.printText(csh ? `setenv GUESTFISH_PID ${pid}\n` : `GUESTFISH_PID=${pid}; export GUESTFISH_PID\n`);
    return 0;
  } catch (error) {
    shell.report(error);
    return shell.endedBy ?? 1;
  } finally {
    stopSignals();
  }
}

async function startListener(options: Invocation): Promise<number> {
  const child = spawn(process.execPath, [...program(), listenerArgument], {
    // A session of its own: no terminal, and no signals from it.
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.on("error", () => undefined).end(JSON.stringify(options));
  await firstByte(child.stdout).catch((error: unknown) => {
    throw new ShellError("guestfish: --listen: the process in the background did not start", { cause: error });
  });
  child.stdout.destroy();
  child.unref();
  return child.pid!;
}

/** What node is told to start this program once more. */
function program(): string[] {
  if (import.meta.url.endsWith(".ts"))
    return [...process.execArgv, fileURLToPath(new URL("../main.ts", import.meta.url))];
  // From the compiled program and from a bundle of it alike.
  const folder = dirname(createRequire(import.meta.url).resolve("guestfish/package.json"));
  return [join(folder, "bin/guestfish.js")];
}

function firstByte(stream: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    stream
      .once("data", () => resolve())
      .once("end", () => reject(new Error("it ended")))
      .once("error", reject);
  });
}
