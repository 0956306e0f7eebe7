import { closeSync, constants, openSync, readFileSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { thawFilesystem } from "../native/freeze.ts";

/** A freeze of filesystems that is on, as every daemon of the machine sees it. */
export interface FrozenState {
  /** Process that will thaw them. */
  readonly watcher: number;
  readonly secondsLeft: number;
}

/** What the watcher writes down, on a filesystem that is never frozen. */
export interface FrozenNote {
  readonly watcher: number;
  /** When that process started, as {@link startOf} has it: its number may be another's by now. */
  readonly started: string;
  /** by the clock that counts from the machine's start, in ms */
  readonly until: number;
  /** Where what it freezes, or may have frozen, is mounted. */
  readonly folders: readonly string[];
}

/** Name of the note, in a folder of the machine's runtime filesystem. */
export function frozenNote(runFolder: string): string {
  return join(runFolder, "frozen");
}

/** Milliseconds since the machine's start, the same in every process. */
export function monotonicNow(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/** When a process started, in the kernel's ticks (proc_pid_stat(5)); `undefined` when it has ended. */
export function startOf(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

function readNote(runFolder: string): FrozenNote | undefined {
  try {
    return JSON.parse(readFileSync(frozenNote(runFolder), "utf8")) as FrozenNote;
  } catch {
    return undefined;
  }
}

/** Opens the folders that filesystems are frozen by. */
export function openFolders(folders: readonly string[]): number[] {
  const opened: number[] = [];
  try {
    for (const folder of folders) opened.push(openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY));
    return opened;
  } catch (error) {
    opened.forEach(closeSync);
    throw error;
  }
}

/** Thaws what is frozen among filesystems, by descriptors. @returns how many that were */
export function thawEach(folders: Iterable<number>): number {
  let thawed = 0;
  for (const fd of folders) {
    try {
      thawFilesystem(fd);
      thawed++;
    } catch {
      // It is not frozen, or not yet.
    }
  }
  return thawed;
}

function thawByName(folders: readonly string[]): number {
  let thawed = 0;
  for (const folder of folders) {
    try {
      const [fd] = openFolders([folder]);
      if (fd === undefined) continue;
      thawed += thawEach([fd]);
      closeSync(fd);
    } catch {
      // It is no more.
    }
  }
  return thawed;
}

/**
 * Thaws what nobody watches over any more: the watcher has ended, or its time is over.
 * @returns how many filesystems; `undefined` when there was nothing of the kind, or it is another daemon that sees to it
 */
export function thawLeftBehind(runFolder: string): number | undefined {
  const note = readNote(runFolder);
  if (!note || (startOf(note.watcher) === note.started && monotonicNow() < note.until)) return undefined;
  try {
    // Who takes the note away is who thaws: later, somebody else may have frozen them.
    unlinkSync(frozenNote(runFolder));
  } catch {
    return undefined;
  }
  return thawByName(note.folders);
}

/** Whether filesystems are frozen now, after what was left behind is thawed; costs one system call when there is no freeze. */
export function frozenState(runFolder: string): FrozenState | undefined {
  const found = readNote(runFolder);
  if (!found) return undefined;
  thawLeftBehind(runFolder);
  const note = readNote(runFolder);
  return note && { watcher: note.watcher, secondsLeft: Math.max(0, Math.ceil((note.until - monotonicNow()) / 1000)) };
}
