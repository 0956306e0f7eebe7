import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { DaemonError, ProgramError } from "./daemon-error.ts";
import {
  enlargePipe,
  killGroup,
  openPidDescriptor,
  pipe,
  setNonBlocking,
  spawnChild,
  waitForChild,
} from "./native/child.ts";
import type { ChildEnd } from "./native/child.ts";
import { POLLIN, POLLOUT, PollSet } from "./native/poll.ts";

/** What reads a program's output itself, to spare copying it. */
export interface OutputTaker {
  /** Reads once. Returns `false` at the end. */
  take(fd: number): boolean;
}

/** How a program is run. */
export interface RunOptions {
  /** What it reads: bytes, text, chunks as they come, or a descriptor. Default: nothing. */
  readonly stdin?: Uint8Array | string | Iterable<Uint8Array> | number;
  /** What becomes of its output: kept (default), handed on piece by piece, taken from the pipe, or written to a descriptor. */
  readonly stdout?: ((data: Uint8Array) => void) | OutputTaker | number;
  /** Variables beside the daemon's own few. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Descriptors that it finds under the same numbers. */
  readonly inherit?: readonly number[];
  /** Descriptor of its working directory. */
  readonly directory?: number;
  /** Descriptor of the folder that is its `/`, where the program itself is looked for too. */
  readonly root?: number;
  /** Exit statuses that are no failure. Default: 0 alone. `"any"`: the caller looks at it. */
  readonly accept?: readonly number[] | "any";
  /** Called at least three times a second while it runs. */
  readonly pulse?: () => void;
  /** Most bytes of output to keep; more is an error. Default 16 MiB. */
  readonly outputMax?: number;
}

/** What a program gave back. */
export interface RunResult {
  readonly status: number;
  readonly stdout: Buffer;
  /** its messages, at most 64 KiB, without the last line end */
  readonly stderr: string;
}

const pulsePeriod = 333;
const stderrMax = 64 * 1024;
const defaultOutputMax = 16 * 1024 * 1024;
const readSize = 256 * 1024;
const streamPipeSize = 1024 * 1024;

/** The environment of every program that the daemon starts. */
const baseEnvironment: Readonly<Record<string, string>> = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  SHELL: "/bin/sh",
  LC_ALL: "C",
  TERM: "dumb",
  HOME: "/root",
  // No udevd runs beside the daemon: libdevmapper and mdadm make their own nodes.
  DM_DISABLE_UDEV: "1",
  MDADM_NO_UDEV: "1",
};

/**
 * Runs a program to its end.
 * @throws DaemonError with what the program wrote to its stderr, when it fails or can't be started
 */
export function run(argv: readonly string[], options: RunOptions = {}): RunResult {
  const child = new RunningChild(argv, options);
  let result: RunResult;
  try {
    result = child.finish();
  } catch (error) {
    child.abandon();
    throw error;
  }
  const accept = options.accept ?? [0];
  if (accept !== "any" && !accept.includes(result.status)) {
    const end = describeStatus(result.status);
    throw new ProgramError(result.stderr || `${argv[0] ?? ""} ended with ${end}`, end);
  }
  return result;
}

function describeStatus(status: number): string {
  return status > 128 ? `signal ${status - 128}` : `status ${status}`;
}

function* inputChunks(stdin: RunOptions["stdin"]): Generator<Uint8Array> {
  if (typeof stdin === "string") yield Buffer.from(stdin);
  else if (stdin instanceof Uint8Array) yield stdin;
  else if (typeof stdin === "object") yield* stdin;
}

class RunningChild {
  readonly #options: RunOptions;
  readonly #open = new Set<number>();
  readonly #pid: number;
  readonly #ended: number;
  readonly #stdout: number | undefined;
  readonly #stderr: number;
  readonly #input: Iterator<Uint8Array> | undefined;
  readonly #buffer = Buffer.allocUnsafe(readSize);
  readonly #kept: Buffer[] = [];
  #keptLength = 0;
  #stdin: number | undefined;
  #pending: Uint8Array = new Uint8Array(0);
  #errors = "";
  #end: ChildEnd | undefined;

  constructor(argv: readonly string[], options: RunOptions) {
    this.#options = options;
    const { stdin, stdout } = options;
    try {
      let childIn: number;
      if (typeof stdin === "number") childIn = stdin;
      else if (stdin === undefined) childIn = this.#track(openSync("/dev/null", "r"));
      else {
        const [read, write] = this.#pipe();
        setNonBlocking(write);
        [childIn, this.#stdin] = [read, write];
      }
      let childOut: number;
      if (typeof stdout === "number") childOut = stdout;
      else [this.#stdout, childOut] = this.#pipe();
      if (stdout !== undefined && typeof stdout !== "number") enlargePipe(childOut, streamPipeSize);
      const [errorsRead, errorsWrite] = this.#pipe();
      this.#stderr = errorsRead;
      this.#pid = spawnChild({
        argv,
        environment: { ...baseEnvironment, ...options.environment },
        stdin: childIn,
        stdout: childOut,
        stderr: errorsWrite,
        inherit: options.inherit ?? [],
        ...(options.directory === undefined ? {} : { directory: options.directory }),
        ...(options.root === undefined ? {} : { root: options.root }),
      });
      this.#ended = this.#track(openPidDescriptor(this.#pid));
      for (const fd of [childIn, childOut, errorsWrite]) if (this.#open.has(fd)) this.#close(fd);
    } catch (error) {
      this.#closeAll();
      throw error;
    }
    this.#input = inputChunks(stdin);
  }

  /** Moves bytes both ways until the program has ended and its output is read. */
  finish(): RunResult {
    const poll = new PollSet(4);
    let outOpen = this.#stdout !== undefined;
    let errorsOpen = true;
    for (;;) {
      poll.clear();
      const ended = poll.add(this.#ended, POLLIN);
      const errors = errorsOpen ? poll.add(this.#stderr, POLLIN) : -1;
      const output = outOpen && this.#stdout !== undefined ? poll.add(this.#stdout, POLLIN) : -1;
      const input = this.#stdin === undefined ? -1 : poll.add(this.#stdin, POLLOUT);
      poll.wait(this.#options.pulse ? pulsePeriod : -1);
      this.#options.pulse?.();
      if (errors >= 0 && poll.ready(errors) !== 0) errorsOpen = this.#readErrors();
      if (output >= 0 && poll.ready(output) !== 0) {
        outOpen = this.#readOutput();
        continue;
      }
      // A grandchild may hold the pipes open: the program's own end counts.
      if (poll.ready(ended) !== 0) break;
      if (input >= 0 && poll.ready(input) !== 0) this.#feed();
    }
    this.#end = waitForChild(this.#pid);
    if (errorsOpen) this.#drain(this.#stderr, () => this.#readErrors());
    if (outOpen && this.#stdout !== undefined) this.#drain(this.#stdout, () => this.#readOutput());
    this.#closeAll();
    return {
      status: this.#end.status,
      stdout: Buffer.concat(this.#kept),
      stderr: this.#errors.replace(/\n+$/, ""),
    };
  }

  /** Ends the program and forgets it. */
  abandon(): void {
    if (!this.#end) {
      killGroup(this.#pid);
      this.#end = waitForChild(this.#pid);
    }
    this.#closeAll();
  }

  #drain(fd: number, read: () => boolean): void {
    const poll = new PollSet(1);
    const at = poll.add(fd, POLLIN);
    while (poll.wait(0) > 0 && poll.ready(at) !== 0) if (!read()) return;
  }

  #readErrors(): boolean {
    const count = readSync(this.#stderr, this.#buffer, 0, stderrMax, null);
    if (this.#errors.length < stderrMax) this.#errors += this.#buffer.toString("utf8", 0, count);
    return count > 0;
  }

  #readOutput(): boolean {
    if (this.#stdout === undefined) return false;
    const { stdout } = this.#options;
    if (typeof stdout === "object") return stdout.take(this.#stdout);
    const count = readSync(this.#stdout, this.#buffer, 0, this.#buffer.length, null);
    if (count === 0) return false;
    const data = this.#buffer.subarray(0, count);
    if (typeof stdout === "function") {
      stdout(data);
      return true;
    }
    this.#keptLength += count;
    const max = this.#options.outputMax ?? defaultOutputMax;
    if (this.#keptLength > max) throw new DaemonError(`the program's output is over ${max} bytes`, "EFBIG");
    this.#kept.push(Buffer.from(data));
    return true;
  }

  #feed(): void {
    if (this.#stdin === undefined) return;
    if (this.#pending.length === 0) {
      const next = this.#input?.next();
      if (!next || next.done) {
        this.#close(this.#stdin);
        this.#stdin = undefined;
        return;
      }
      this.#pending = next.value;
    }
    try {
      const count = writeSync(this.#stdin, this.#pending, 0, this.#pending.length, null);
      this.#pending = this.#pending.subarray(count);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EAGAIN") return;
      if (code !== "EPIPE") throw error;
      // It reads no more; its status will tell why.
      this.#close(this.#stdin);
      this.#stdin = undefined;
    }
  }

  #pipe(): [number, number] {
    const [read, write] = pipe();
    this.#open.add(read).add(write);
    return [read, write];
  }

  #track(fd: number): number {
    this.#open.add(fd);
    return fd;
  }

  #close(fd: number): void {
    this.#open.delete(fd);
    closeSync(fd);
  }

  #closeAll(): void {
    this.#input?.return?.();
    for (const fd of [...this.#open]) this.#close(fd);
  }
}
