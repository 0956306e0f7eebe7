import type { Statns } from "@guestfs/schema";

/** What `lstatns` tells of a file, but for the block size of its filesystem, which a walk does not ask for. */
export type WalkStat = Omit<
  Statns,
  "st_blksize" | "st_spare1" | "st_spare2" | "st_spare3" | "st_spare4" | "st_spare5" | "st_spare6"
>;

/** Something that a walk found. */
export interface WalkEntry {
  /** Absolute path in the machine. */
  readonly path: string;
  /** Of the thing itself: a symbolic link is not followed. */
  readonly stat: WalkStat;
  /** Where a symbolic link leads; empty for anything else. */
  readonly target: string;
}

const typeMask = 0o170000;

/** The bits of `st_mode` that say what a file is. */
export const fileTypes = {
  fifo: 0o010000,
  characterDevice: 0o020000,
  folder: 0o040000,
  blockDevice: 0o060000,
  regular: 0o100000,
  link: 0o120000,
  socket: 0o140000,
} as const;

/** Whether a file is of a type. */
export function isType(stat: { readonly st_mode: number }, type: number): boolean {
  return (stat.st_mode & typeMask) === type;
}

/** The path of a name in a folder. */
export function pathIn(folder: string, name: string): string {
  return folder === "/" ? `/${name}` : `${folder}/${name}`;
}
