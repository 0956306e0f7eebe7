import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A freeze of filesystems that is on, as every daemon of the machine sees it. */
export interface FrozenState {
  /** Process that will thaw them. */
  readonly watcher: number;
  readonly secondsLeft: number;
}

/** What the watcher writes down, on a filesystem that is never frozen. */
export interface FrozenNote {
  readonly watcher: number;
  /** by the clock that counts from the machine's start, in ms */
  readonly until: number;
}

/** Name of the note, in a folder of the machine's runtime filesystem. */
export function frozenNote(runFolder: string): string {
  return join(runFolder, "frozen");
}

/** Milliseconds since the machine's start, the same in every process. */
export function monotonicNow(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/** Whether filesystems are frozen now; costs one system call when they are not. */
export function frozenState(runFolder: string): FrozenState | undefined {
  let note: FrozenNote;
  try {
    note = JSON.parse(readFileSync(frozenNote(runFolder), "utf8")) as FrozenNote;
  } catch {
    return undefined;
  }
  return { watcher: note.watcher, secondsLeft: Math.max(0, Math.ceil((note.until - monotonicNow()) / 1000)) };
}
