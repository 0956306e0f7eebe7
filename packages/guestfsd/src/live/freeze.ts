import { existsSync, statSync } from "node:fs";
import type { Context } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { mountTable } from "../mount-table.ts";
import type { MountEntry } from "../mount-table.ts";
import { frozenState, thawLeftBehind } from "./frozen-state.ts";
import type { DaemonLog } from "./daemon-log.ts";
import { Watcher } from "./watcher.ts";

const secondsMax = 600;
const lookPeriod = 50;
const key = Symbol("freeze");

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
  const { state } = context;
  if (seconds < 1 || seconds > secondsMax)
    throw new DaemonError(`${seconds}: the limit is 1 to ${secondsMax} seconds`, "EINVAL");
  if (!existsSync("/proc/self/mountinfo")) throw new DaemonError("there is no table of mounts", "ENOTSUP");
  const folders = mountpoints.length === 0 ? allFilesystems() : chosenFilesystems(context, mountpoints);
  if (folders.length === 0) throw new DaemonError("there is no filesystem to freeze", "ENOENT");
  const run = statSync(runFolder, { throwIfNoEntry: false })?.dev;
  for (const folder of folders)
    if (run !== undefined && statSync(folder).dev === run)
      throw new DaemonError(`${folder}: holds ${runFolder}, which the daemon needs while it is frozen`, "EBUSY");
  // One that ended unnoticed would thaw what is frozen now.
  state.drop(key);
  const watcher = state.outsideReadOnly(() => new Watcher({ seconds, folders, runFolder }));
  const finish = (): number => {
    const { thawed, end } = watcher.finish();
    if (end === "unwatched") state.outsideReadOnly(() => thawLeftBehind(runFolder));
    log.release();
    if (end === "unwatched") log.notice("the process that watched over the freeze has gone");
    return end === "expired" ? 0 : thawed;
  };
  log.hold();
  let count: number;
  try {
    count = watcher.freeze();
  } catch (error) {
    finish();
    throw error;
  }
  state.keep(key, finish, () => {
    state.tend = undefined;
    const thawed = finish();
    if (thawed > 0) log.notice(`${thawed} filesystems thawed`);
  });
  state.tend = () => {
    if (watcher.hasEnded(lookPeriod)) state.drop(key);
  };
  return count;
}

/** @returns how many filesystems were thawed; 0 when the limit had done it before */
export function thawFilesystems({ state }: Context, { runFolder }: { readonly runFolder: string }): number {
  const finish = state.get<() => number>(key);
  if (finish) {
    state.tend = undefined;
    state.forget(key);
    return finish();
  }
  const left = state.outsideReadOnly(() => thawLeftBehind(runFolder));
  if (left !== undefined) return left;
  const frozen = frozenState(runFolder);
  if (frozen)
    throw new DaemonError(
      `another client froze the filesystems; they thaw after ${frozen.secondsLeft} s at the latest`,
      "EBUSY",
    );
  return 0;
}
