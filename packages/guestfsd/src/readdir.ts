import { DT_BLK, DT_CHR, DT_DIR, DT_FIFO, DT_LNK, DT_REG, DT_SOCK, DT_UNKNOWN } from "./native/directory.ts";
import type { DirectoryEntry } from "./native/directory.ts";

const letters: ReadonlyMap<number, string> = new Map([
  [DT_BLK, "b"],
  [DT_CHR, "c"],
  [DT_DIR, "d"],
  [DT_FIFO, "f"],
  [DT_LNK, "l"],
  [DT_REG, "r"],
  [DT_SOCK, "s"],
  [DT_UNKNOWN, "u"],
]);

/** The letter of a kind of file in a `dirent`. */
export function typeLetter(type: number): string {
  return letters.get(type) ?? "?";
}

/** Longest `dirent` in bytes: a name has at most 255. */
export const direntMax = 272;

/**
 * Writes an entry as the struct `dirent` in XDR.
 * @returns where it ends
 */
export function writeDirent(target: Buffer, at: number, entry: DirectoryEntry): number {
  const { name } = entry;
  target.writeUInt32BE(entry.inodeHigh, at);
  target.writeUInt32BE(entry.inodeLow, at + 4);
  target.writeUInt32BE(typeLetter(entry.type).charCodeAt(0), at + 8);
  target.writeUInt32BE(name.length, at + 12);
  const end = at + 16 + name.length;
  name.copy(target, at + 16);
  const padded = end + ((4 - (name.length % 4)) % 4);
  target.fill(0, end, padded);
  return padded;
}
