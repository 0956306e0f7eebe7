import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { completeLine } from "../completion/complete-line.ts";
import type { Invocation } from "../options.ts";
import { runCommand } from "../run.ts";
import { Shell } from "../shell.ts";
import { handleSignals } from "../signals.ts";
import { start } from "../start.ts";
import { CallerConnection } from "./caller-connection.ts";
import type { RequestHandler } from "./caller-connection.ts";
import { nobody, RemoteConsole } from "./remote-console.ts";
import type { Caller } from "./remote-console.ts";
import type { RunRequest } from "./request.ts";
import { makeSocketFolder, socketPath } from "./socket-path.ts";

/** Connections at a time; further ones are closed. */
const mostCallers = 64;

/**
 * The background process of `guestfish --listen`: reads its options from standard input, says with one byte on
 * standard output that it listens, lets go of both and of standard error, and serves until a command ends it.
 */
export async function serve(): Promise<number> {
  const shell = new Shell(JSON.parse(readFileSync(0, "utf8")) as Invocation, nobody);
  const stopSignals = handleSignals(shell);
  const path = socketPath(String(process.pid));
  makeSocketFolder();
  // A process of the same number left it.
  rmSync(path, { force: true });
  process.on("exit", () => rmSync(path, { force: true }));

  const listener = new Listener(shell);
  const server = createServer((socket) => void new CallerConnection(socket, listener).serve());
  server.maxConnections = mostCallers;
  await listening(server, path);
  writeSync(1, "\n");
  letGoOfStreams();
  await listener.over;
  stopSignals();
  return shell.endedBy ?? 0;
}

/** Runs the requests of all connections, one after another. */
class Listener implements RequestHandler {
  /** Settles when a command has ended it. */
  readonly over: Promise<void>;
  readonly #shell: Shell;
  #end!: () => void;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(shell: Shell) {
    this.#shell = shell;
    this.over = new Promise((resolve) => (this.#end = resolve));
  }

  complete(line: string): Promise<readonly [string[], string]> {
    return completeLine(this.#shell, line);
  }

  run(caller: Caller, request: RunRequest, cancelled: AbortSignal): Promise<void> {
    const turn = this.#turn.then(() => this.#run(caller, request, cancelled));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #run(caller: Caller, request: RunRequest, cancelled: AbortSignal): Promise<void> {
    const shell = this.#shell;
    // It waited for its turn, and nobody else can make the first request.
    if (cancelled.aborted || shell.leaving) throw new Error("the request is not wanted any more");
    const interrupt = (): void => void shell.interrupt();
    cancelled.addEventListener("abort", interrupt);
    shell.console = new RemoteConsole(caller, request.progressBars);
    shell.output = shell.console.output;
    shell.begin();
    try {
      let ok = await this.#attempt(() =>
        request.words.length === 0 ? start(shell) : runCommand(shell, request.words),
      );
      // A command that was stopped from outside did not fail by itself; without its disks the listener is of no use.
      if (!ok && request.exitOnError && (!cancelled.aborted || request.words.length === 0)) shell.leaving = true;
      // Before the answer, so that whoever waits for it finds the disks complete.
      if (shell.leaving) ok = (await this.#attempt(() => shell.close())) && ok;
      await caller.send("result", JSON.stringify({ ok, leaving: shell.leaving }));
    } finally {
      cancelled.removeEventListener("abort", interrupt);
      shell.console = nobody;
      shell.output = nobody.output;
      if (shell.leaving) this.#end();
    }
  }

  async #attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.#shell.report(error);
      return false;
    }
  }
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => void server.once("error", reject).listen(path, resolve));
}

/** Whoever waits for the end of our output, or wants its terminal back, has it. */
function letGoOfStreams(): void {
  for (const fd of [0, 1, 2]) {
    closeSync(fd);
    // The lowest number that is free: this one.
    openSync("/dev/null", fd === 0 ? "r" : "w");
  }
}
