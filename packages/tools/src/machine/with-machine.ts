import { constants } from "node:os";
import { Guestfs } from "guestfs";
import {
  addOption,
  checkLive,
  inspectAndMount,
  mountOption,
  printableLines,
  resolveWindowsPath,
} from "guestfs/command-line";
import { UsageError } from "../tool-error.ts";
import { readKey } from "./read-key.ts";
import type { MachineOptions } from "./options.ts";

/** A machine, off or running, whose files can be used. */
export interface OpenMachine {
  readonly g: Guestfs;
  /** Whether it runs, and `g` talks to the daemon inside it. */
  readonly live: boolean;
  /** Stops the work: somebody pressed Ctrl-C. */
  readonly signal: AbortSignal;
  /** From now on only SIGTERM stops the work: it goes on without a terminal. */
  stay(): void;
  /** Says on standard error what could not be done, and goes on. */
  warn(message: string): void;
  /** The path in the machine that a path on the command line means: `C:\x` of a Windows, for example. */
  path(text: string): Promise<string>;
}

/** How it is to be opened. */
export interface OpenOptions {
  readonly program: string;
  readonly readOnly: boolean;
  /** Whether the operating system is to be found when no `-m` was given. Default true. */
  readonly inspect?: boolean;
  /** Whether what was written is flushed at the end. Default true. */
  readonly sync?: boolean;
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function warner(program: string): (message: string) => void {
  return (message) => void process.stderr.write(`${program}: ${printableLines(message)}\n`);
}

/** Adds the machine's disks, or attaches to it; gives whether it runs. */
async function attach(g: Guestfs, options: MachineOptions, readOnly: boolean, signal: AbortSignal): Promise<boolean> {
  let live = false;
  for (const drive of options.drives) live = (await addOption(g, drive, { ...options, readOnly, signal })) === "live";
  await g.launch({ signal });
  return live;
}

async function mountAll(
  g: Guestfs,
  options: MachineOptions,
  { program, readOnly, inspect = true }: OpenOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const warn = warner(program);
  for (const mount of options.mounts) await mountOption(g, mount, { readOnly, warn, signal });
  if (options.mounts.length > 0 || !inspect) return false;
  const root = await inspectAndMount(g, {
    readOnly,
    warn,
    keys: options.keys,
    askKey: (device) => readKey(options, device),
  });
  return (await g.inspectGetType(root)) === "windows";
}

/**
 * Opens a machine, mounts its file systems, unless it runs and has them mounted, and closes it again whatever comes of
 * the work: what was written is on its disks when this resolves. A signal stops the work; the process ends by it when
 * everything is closed.
 * @throws UsageError when no machine was named; CommandLineError; whatever the work throws
 */
export async function withMachine<Result>(
  options: MachineOptions,
  open: OpenOptions,
  work: (machine: OpenMachine) => Promise<Result>,
): Promise<Result> {
  if (options.drives.length === 0)
    throw new UsageError("which machine is meant? Name its disks with -a, or itself with -d");
  checkLive(options);
  const stop = new AbortController();
  let status: number | undefined;
  let staying = false;
  const onSignal = (name: (typeof signals)[number]): void => {
    if (staying && name !== "SIGTERM") return;
    status = 128 + constants.signals[name];
    stop.abort(new Error(name));
  };
  for (const name of signals) process.on(name, onSignal);
  const { signal } = stop;
  const g = new Guestfs();
  try {
    g.setProgram(open.program);
    if (open.sync === false) g.setAutosync(false);
    if (options.trace) g.setTrace(true);
    if (options.verbose) g.setVerbose(true);
    // Clevis asks a server for the key.
    if (options.network || options.keys.some((key) => key.endsWith(":clevis"))) g.setNetwork(true);
    const live = await attach(g, options, open.readOnly, signal);
    const isWindows = !live && (await mountAll(g, options, open, signal));
    const isWindowsPath = (text: string): boolean =>
      /^win:/i.test(text) || (isWindows && /^(?:[A-Za-z]:)?[\\/]/.test(text));
    const path = (text: string): Promise<string> =>
      isWindowsPath(text) ? resolveWindowsPath(g, text.replace(/^win:/i, "")) : Promise.resolve(text);
    const result = await work({ g, live, signal, warn: warner(open.program), stay: () => void (staying = true), path });
    await g.shutdown();
    return result;
  } finally {
    // What went wrong first is what counts.
    await g.close().catch(() => undefined);
    for (const name of signals) process.off(name, onSignal);
    if (status !== undefined) process.exit(status);
  }
}
