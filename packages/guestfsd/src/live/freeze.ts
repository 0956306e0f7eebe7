import { closeSync, constants, existsSync, openSync, readSync, statSync, writeSync } from "node:fs";
import type { Context } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { mountTable } from "../mount-table.ts";
import type { MountEntry } from "../mount-table.ts";
import { killGroup, pipe, spawnChild, waitForChild } from "../native/child.ts";
import { POLLIN, PollSet } from "../native/poll.ts";
import { freezeFilesystem } from "../native/freeze.ts";
import { errorText } from "../native/system-error.ts";
import { frozenState } from "./frozen-state.ts";
import type { DaemonLog } from "./daemon-log.ts";
import { thawLeftBehind } from "./thaw-watcher.ts";
import type { WatchOrders } from "./thaw-watcher.ts";

/** Argument that makes the daemon's program a watcher; see {@link watchOverFreeze}. */
export const watcherArgument = "--watch-over-freeze";
const secondsMax = 600;
const startTimeout = 60_000;
const key = Symbol("freeze");

/** The process that thaws, as the daemon has it. */
class Watcher {
  readonly #pid: number;
  readonly #input: number;
  readonly #output: number;

  constructor(orders: WatchOrders) {
    const [childInput, input] = pipe();
    const [output, childOutput] = pipe();
    [this.#input, this.#output] = [input, output];
    try {
      this.#pid = spawnChild({
        argv: [process.execPath, ...process.execArgv, process.argv[1] ?? "", watcherArgument],
        environment: { PATH: process.env["PATH"] ?? "" },
        stdin: childInput,
        stdout: childOutput,
        stderr: 2,
      });
    } finally {
      closeSync(childInput);
      closeSync(childOutput);
    }
    this.tell(JSON.stringify(orders));
    if (this.#hear(startTimeout) !== "ready") {
      killGroup(this.#pid);
      this.#forget();
      throw new DaemonError("nothing was frozen: the process that would thaw it did not start");
    }
  }

  tell(line: string): void {
    try {
      writeSync(this.#input, `${line}\n`);
    } catch {
      // It has ended: the time limit was reached.
    }
  }

  /** Has it thaw all, and waits for that. @returns how many were still frozen */
  finish(): number {
    this.tell("thaw");
    const [word, count] = this.#hear(-1).split(" ");
    this.#forget();
    return word === "thawed" ? Number(count) : 0;
  }

  #hear(timeout: number): string {
    const poll = new PollSet(1);
    poll.add(this.#output, POLLIN);
    const buffer = Buffer.alloc(256);
    let text = "";
    while (!text.includes("\n")) {
      if (poll.wait(timeout) === 0) break;
      const count = readSync(this.#output, buffer, 0, buffer.length, null);
      if (count === 0) break;
      text += buffer.toString("latin1", 0, count);
    }
    return text.split("\n")[0] ?? "";
  }

  #forget(): void {
    closeSync(this.#input);
    closeSync(this.#output);
    waitForChild(this.#pid);
  }
}

/** The filesystems that hold what programs write: each once, where it was mounted first, what was mounted last first. */
function allFilesystems(): string[] {
  const seen = new Set<string>();
  return mountTable()
    .filter(({ source, type, superOptions, number }) => {
      const wanted =
        source.startsWith("/dev/") && !superOptions.includes("ro") && type !== "iso9660" && !seen.has(number);
      if (wanted) seen.add(number);
      return wanted;
    })
    .map(({ target }) => target)
    .toReversed();
}

function chosenFilesystems(context: Context, mountpoints: readonly string[]): string[] {
  const mounts = mountTable();
  const chosen = new Map<string, MountEntry>();
  for (const path of mountpoints) {
    const target = context.sysroot.outside(path);
    const entry = mounts.findLast((one) => one.target === target);
    if (!entry) throw new DaemonError(`${path}: not a mount point`, "EINVAL");
    chosen.set(entry.number, entry);
  }
  return [...chosen.values()].toSorted((a, b) => b.id - a.id).map(({ target }) => target);
}

/** Freezes one filesystem. @returns whether it can be frozen at all */
function freeze(folder: string): boolean {
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    freezeFilesystem(fd);
    return true;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    // Some kinds can't be.
    if (code === "EOPNOTSUPP" || code === "ENOTSUP" || code === "ENOTTY") return false;
    throw new DaemonError(`${folder}: can't be frozen: ${errorText(code)}`, code, { cause: error });
  } finally {
    closeSync(fd);
  }
}

/**
 * Freezes filesystems until {@link thawFilesystems}, the end of the conversation or the time limit, whatever comes first.
 * Everything that is needed afterwards is in memory or runs by then; the log is held.
 * @returns how many were frozen
 */
export function freezeFilesystems(
  context: Context,
  { seconds, mountpoints }: { readonly seconds: number; readonly mountpoints: readonly string[] },
  { log, runFolder }: { readonly log: DaemonLog; readonly runFolder: string },
): number {
  if (seconds < 1 || seconds > secondsMax)
    throw new DaemonError(`${seconds}: the limit is 1 to ${secondsMax} seconds`, "EINVAL");
  if (!existsSync("/proc/self/mountinfo")) throw new DaemonError("there is no table of mounts", "ENOTSUP");
  const folders = mountpoints.length === 0 ? allFilesystems() : chosenFilesystems(context, mountpoints);
  if (folders.length === 0) throw new DaemonError("there is no filesystem to freeze", "ENOENT");
  const run = statSync(runFolder, { throwIfNoEntry: false })?.dev;
  for (const folder of folders)
    if (run !== undefined && statSync(folder).dev === run)
      throw new DaemonError(`${folder}: holds ${runFolder}, which the daemon needs while it is frozen`, "EBUSY");
  const watcher = context.state.outsideReadOnly(() => new Watcher({ seconds, folders, runFolder }));
  log.hold();
  let count = 0;
  try {
    for (const folder of folders) if (freeze(folder)) count++;
    watcher.tell("frozen");
  } catch (error) {
    watcher.finish();
    log.release();
    throw error;
  }
  context.state.keep(key, watcher, () => {
    const left = watcher.finish();
    log.release();
    if (left > 0) log.notice(`${left} filesystems thawed`);
  });
  return count;
}

/** @returns how many filesystems were thawed; 0 when the limit had done it before */
export function thawFilesystems(
  context: Context,
  { log, runFolder }: { readonly log: DaemonLog; readonly runFolder: string },
): number {
  const watcher = context.state.get<Watcher>(key);
  if (watcher) {
    const thawed = watcher.finish();
    context.state.forget(key);
    log.release();
    return thawed;
  }
  const state = frozenState(runFolder);
  if (!state) return 0;
  if (existsSync(`/proc/${state.watcher}`))
    throw new DaemonError(
      `another client froze the filesystems; they thaw after ${state.secondsLeft} s at the latest`,
      "EBUSY",
    );
  return context.state.outsideReadOnly(() => thawLeftBehind(allFilesystems(), runFolder));
}
