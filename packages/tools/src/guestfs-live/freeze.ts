import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { constants as osConstants } from "node:os";
import { delimiter, join } from "node:path";
import type { Guestfs } from "guestfs";
import { findDomain } from "guestfs/internal";
import { ToolError } from "../tool-error.ts";
import { askDaemon } from "./ask-daemon.ts";
import { withLibvirt } from "./channels.ts";
import type { Domain } from "./channels.ts";

/** What to do with a machine that holds still. */
export interface FrozenWork {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** The machine goes on after so many seconds, whatever the program does: 1 to 600. */
  readonly seconds: number;
  /** Where the filesystems are mounted that are frozen; none: all that are on block devices. */
  readonly mountpoints: readonly string[];
  readonly verbose: boolean;
}

/** Exit status when the machine went on before the program had ended. */
const thawedEarly = 3;
const passedOn = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** To find a misspelt name only when the machine holds still would be late. */
function requireProgram(name: string): void {
  const folders = name.includes("/") ? [""] : (process.env["PATH"] ?? "").split(delimiter);
  const runs = folders.some((folder) => {
    try {
      accessSync(folder === "" ? name : join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (!runs) throw new ToolError(`${name}: there is no such program; nothing was frozen`);
}

/** Runs a program to its end. Signals that would end this process are passed on to it: what comes after it has to be done. */
async function runProgram([program = "", ...args]: readonly string[]): Promise<number> {
  const child = spawn(program, args, { stdio: "inherit" });
  const passOn = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of passedOn) process.on(signal, passOn);
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (status, signal) =>
        resolve(status ?? 128 + (signal === null ? 0 : osConstants.signals[signal])),
      );
    });
  } finally {
    for (const signal of passedOn) process.off(signal, passOn);
  }
}

async function holdStill(g: Guestfs, { command, seconds, mountpoints, verbose }: FrozenWork): Promise<number> {
  const say = verbose ? (line: string): void => void process.stderr.write(`guestfs-live: ${line}\n`) : () => undefined;
  const frozen = await g.extensionFreeze(seconds, mountpoints);
  say(`${frozen} filesystems are frozen, for ${seconds} s at most`);
  let status: number;
  let thawed = 0;
  try {
    status = await runProgram(command);
  } finally {
    thawed = await g.extensionThaw();
    say(`${thawed} filesystems are thawed`);
  }
  if (thawed > 0 || status !== 0) return status;
  process.stderr.write(
    `guestfs-live: the machine went on after ${seconds} s, before ${command[0]} had ended: what it made may not be consistent\n` +
      "To fix it: give it more time with --seconds\n",
  );
  return thawedEarly;
}

/**
 * Has a running machine's filesystems hold still, consistent on their disks, while a program of this host runs.
 *
 * @returns the program's exit status; 3 when it took longer than the machine may hold still
 * @throws ToolError, GuestfsError
 */
export async function freeze(domain: Domain, work: FrozenWork): Promise<number> {
  requireProgram(work.command[0] ?? "");
  const { name, active } = await withLibvirt(() => findDomain({ ...domain, allowUuid: true }));
  if (!active) throw new ToolError(`${name} is off: its filesystems hold still as it is`);
  const status = await askDaemon(domain, (g) => holdStill(g, work));
  if (status === "stock") throw new ToolError(`${name} has a stock guestfsd, which can't freeze; nothing was frozen`);
  return status;
}
