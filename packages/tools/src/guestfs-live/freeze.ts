import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import type { Guestfs } from "guestfs";
import { findDomain } from "guestfs/internal";
import { ToolError } from "../tool-error.ts";
import { askDaemon } from "./ask-daemon.ts";
import { withLibvirt } from "./domain.ts";
import type { Domain } from "./domain.ts";

/** What to do with a machine that holds still. */
export interface FrozenWork {
  /** A path, or a name on PATH. */
  readonly program: string;
  readonly args: readonly string[];
  /** The machine goes on after so many seconds, whatever the program does: 1 to 600. */
  readonly seconds: number;
  /** Where the filesystems are mounted that are frozen; none: all that are on block devices. */
  readonly mountpoints: readonly string[];
  readonly verbose: boolean;
}

/** Exit status when the machine went on before the program had ended. */
const thawedEarly = 3;
const passedOn = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * The signals that would end this process, held back while what comes after them has to be done: each is passed on to the
 * program that runs.
 */
class HeldSignals {
  #first: NodeJS.Signals | undefined;
  #child: ChildProcess | undefined;
  readonly #take = (signal: NodeJS.Signals): void => {
    this.#first ??= signal;
    this.#child?.kill(signal);
  };

  constructor() {
    for (const signal of passedOn) process.on(signal, this.#take);
  }

  /** Runs a program to its end, unless a signal came before. @returns its exit status, as a shell counts it */
  async run(program: string, args: readonly string[]): Promise<number> {
    if (this.#first !== undefined) return statusOf(this.#first);
    const child = spawn(program, args, { stdio: "inherit" });
    this.#child = child;
    return new Promise((resolve, reject) => {
      child.once("error", (cause: NodeJS.ErrnoException) =>
        reject(new ToolError(`${program}: ${cause.code === "ENOENT" ? "no such program" : cause.message}`, { cause })),
      );
      child.once("exit", (status, signal) => resolve(status ?? statusOf(signal)));
    });
  }

  [Symbol.dispose](): void {
    for (const signal of passedOn) process.off(signal, this.#take);
  }
}

function statusOf(signal: NodeJS.Signals | null): number {
  return 128 + (signal === null ? 0 : constants.signals[signal]);
}

async function holdStill(g: Guestfs, work: FrozenWork): Promise<number> {
  const { program, args, seconds, mountpoints, verbose } = work;
  const say = verbose ? (line: string): void => void process.stderr.write(`guestfs-live: ${line}\n`) : () => undefined;
  using signals = new HeldSignals();
  const frozen = await g.extensionFreeze(seconds, mountpoints);
  say(`${frozen} filesystems are frozen, for ${seconds} s at most`);
  let status: number;
  let thawed = 0;
  try {
    status = await signals.run(program, args);
  } finally {
    thawed = await g.extensionThaw();
    say(`${thawed} filesystems are thawed`);
  }
  if (thawed > 0) return status;
  process.stderr.write(
    `guestfs-live: the machine went on after ${seconds} s, before ${program} had ended: what it made may not be consistent\n` +
      "To fix it: give it more time with --seconds\n",
  );
  return status === 0 ? thawedEarly : status;
}

/**
 * Has a running machine's filesystems hold still, consistent on their disks, while a program of this host runs.
 *
 * @returns the program's exit status; 3 instead of 0 when it took longer than the machine may hold still
 * @throws ToolError, GuestfsError
 */
export async function freeze(domain: Domain, work: FrozenWork): Promise<number> {
  const { name, active } = await withLibvirt(() => findDomain({ ...domain, allowUuid: true }));
  if (!active) throw new ToolError(`${name} is off: its filesystems hold still as it is`);
  const status = await askDaemon(domain, (g) => holdStill(g, work));
  if (status === "stock") throw new ToolError(`${name} has a stock guestfsd, which can't freeze; nothing was frozen`);
  return status;
}
