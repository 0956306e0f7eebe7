import { spawn } from "node:child_process";
import { once } from "node:events";
import type { ChildProcess, StdioOptions } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** How a process ended: exactly one of the two is not null, except when it could not be started (both null). */
export interface ProcessExit {
  /** Exit code, or null when a signal ended it. */
  code: number | null;
  /** Name of the signal that ended it, or null. */
  signal: NodeJS.Signals | null;
}

/** Settings of {@link spawnOwned}. */
export interface OwnedProcessOptions {
  /** As in node's `spawn`; entries beyond the third become descriptors 3, 4, ... of the program. Default: stdin closed, the rest piped. */
  stdio?: StdioOptions;
  /** Environment. Default: ours. */
  env?: NodeJS.ProcessEnv;
  /** Working directory. Default: ours. */
  cwd?: string;
}

/** A child process that can't outlive us. */
export interface OwnedProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Settles when the process has ended and its output has been read; never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Sends a signal (default SIGKILL) to the process and to those it started. Does nothing when it has ended. */
  kill(signal?: NodeJS.Signals): void;
}

/** A program is not where it was looked for. */
export class ProgramNotFoundError extends Error {
  override readonly name: string = "ProgramNotFoundError";
  /** The name or path that was asked for. */
  readonly program: string;

  constructor(program: string) {
    super(`${program}: no such program${program.includes("/") ? "" : " on PATH, /usr/sbin or /sbin"}`);
    this.program = program;
  }
}

/**
 * Path of a program: `program` itself when it holds a slash, else the first match on PATH, /usr/sbin and /sbin (where Debian puts tools
 * that ordinary users' PATH leaves out).
 *
 * @throws ProgramNotFoundError
 */
export async function findProgram(program: string): Promise<string> {
  const folders = program.includes("/")
    ? [""]
    : [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  for (const folder of folders) {
    const path = program.includes("/") ? program : join(folder, program);
    try {
      // Each launch looks along PATH some times; waiting for an answer takes longer than getting it.
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  throw new ProgramNotFoundError(program);
}

// The parent may die between fork and prctl; then PPID is no longer ours and the program is not run.
const GUARD = 'test "$PPID" = "$1" || exit 125; shift; exec "$@"';

/**
 * Starts a program in its own session that the kernel kills when the thread that started it ends, in whatever way (prctl(2)
 * PR_SET_PDEATHSIG, by setpriv(1)); so a program that uses this from a worker thread loses the process with that thread.
 *
 * @param program path, or name to be looked up by {@link findProgram}
 * @throws ProgramNotFoundError
 */
export async function spawnOwned(
  program: string,
  args: readonly string[],
  options: OwnedProcessOptions = {},
): Promise<OwnedProcess> {
  const path = await findProgram(program);
  const setpriv = await findProgram("setpriv");
  const guarded = ["--pdeathsig", "KILL", "--", "/bin/sh", "-c", GUARD, "sh", String(process.pid), path, ...args];
  const child = spawn(setpriv, guarded, {
    stdio: options.stdio ?? ["ignore", "pipe", "pipe"],
    env: options.env ?? process.env,
    cwd: options.cwd,
    detached: true,
  });
  let ended = false;
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once("exit", (code, signal) => {
      ended = true;
      void outputRead(child).then(() => resolve({ code, signal }));
    });
    child.once("error", () => {
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
  if (child.pid === undefined) {
    // It was found: what is missing is descriptors, processes or memory.
    const [error] = (await once(child, "error")) as [NodeJS.ErrnoException];
    throw new Error(`${program} can't be started: ${error.message}`, { cause: error });
  }
  const pid = child.pid;
  return {
    child,
    pid,
    exited,
    kill(signal = "SIGKILL") {
      if (ended) return;
      try {
        process.kill(-pid, signal);
      } catch {
        child.kill(signal);
      }
    },
  };
}

const LAST_OUTPUT_MS = 500;

// Not the child's "close" event: it waits for every descriptor's stream, also for one that nobody reads.
async function outputRead(child: ChildProcess): Promise<void> {
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null && !stream.closed);
  const closed = Promise.all(
    streams.map((stream) => new Promise<void>((resolve) => stream?.once("close", () => resolve()))),
  );
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LAST_OUTPUT_MS);
  });
  await Promise.race([closed, late]);
  clearTimeout(timer);
}

/** What a finished program left. */
export interface ProgramResult extends ProcessExit {
  /** Standard output. */
  stdout: Buffer;
  /** Standard error as text, its last 16 KiB. */
  stderr: string;
}

/** A program ended with another status than 0. */
export class ProgramFailedError extends Error {
  override readonly name: string = "ProgramFailedError";
  /** The program as it was asked for. */
  readonly program: string;
  /** Exit status, signal and output. */
  readonly result: ProgramResult;

  constructor(program: string, result: ProgramResult) {
    const how = result.signal === null ? `exit status ${result.code}` : `killed by ${result.signal}`;
    super(`${program}: ${how}${result.stderr === "" ? "" : `: ${result.stderr.trim()}`}`);
    this.program = program;
    this.result = result;
  }
}

/** Settings of {@link runOwned}. */
export interface RunOwnedOptions extends Omit<OwnedProcessOptions, "stdio"> {
  /** Written to standard input, which is empty otherwise. */
  input?: Uint8Array;
  /** Aborting kills the program. */
  signal?: AbortSignal;
}

/**
 * Runs a program to its end and collects its output (as {@link spawnOwned}, it can't outlive us).
 *
 * @throws ProgramNotFoundError, ProgramFailedError, or the signal's reason
 */
export async function runOwned(
  program: string,
  args: readonly string[],
  options: RunOwnedOptions = {},
): Promise<ProgramResult> {
  options.signal?.throwIfAborted();
  const owned = await spawnOwned(program, args, {
    ...options,
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  const { child } = owned;
  const stdout: Buffer[] = [];
  let stderr = "";
  child.stdout?.on("data", (bytes: Buffer) => stdout.push(bytes));
  child.stderr?.on("data", (bytes: Buffer) => {
    stderr = (stderr + bytes.toString("utf8")).slice(-16384);
  });
  if (child.stdin !== null) {
    // The program may end before it has read everything; its status tells what matters.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input);
  }
  const onAbort = (): void => owned.kill();
  options.signal?.addEventListener("abort", onAbort);
  // It may have come while the program was being started.
  if (options.signal?.aborted) onAbort();
  const exit = await owned.exited;
  options.signal?.removeEventListener("abort", onAbort);
  options.signal?.throwIfAborted();
  const result = { ...exit, stdout: Buffer.concat(stdout), stderr };
  if (exit.code !== 0) throw new ProgramFailedError(program, result);
  return result;
}
