import { appendFileSync, closeSync, fstatSync, openSync, readSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Lines that are offered again; the file keeps all. */
const most = 1000;
/** As much of the file's end is read. */
const mostBytes = 256 << 10;

/** Where the lines of earlier runs are (guestfish(1), FILES). */
export function historyFile(): string {
  return join(homedir(), ".guestfish");
}

/** The lines of earlier runs, newest first; none when there is no file. */
export function readHistory(file: string): string[] {
  let text: string;
  try {
    text = readEnd(file);
  } catch {
    return [];
  }
  const lines = text.split("\n").filter((line) => line !== "" && !/\p{Cc}/u.test(line));
  return lines.slice(-most).toReversed();
}

/** Keeps a line for later runs, unless it carries a secret. What can't be kept is not worth a message. */
export function keepLine(file: string, line: string): void {
  if (line.trim() === "" || hasSecret(line)) return;
  try {
    appendFileSync(file, `${line}\n`, { mode: 0o600 });
  } catch {
    // A home that is read-only, or none.
  }
}

/** Keys are asked for and stand in no line; these two take what is as secret as a parameter. */
function hasSecret(line: string): boolean {
  return /\bsecret:|\bset[-_]libvirt[-_]requested[-_]credential\b/i.test(line);
}

function readEnd(file: string): string {
  const fd = openSync(file, "r");
  try {
    const { size } = fstatSync(fd);
    const from = Math.max(0, size - mostBytes);
    const buffer = Buffer.alloc(Math.min(size, mostBytes));
    const text = buffer.toString("utf8", 0, readSync(fd, buffer, 0, buffer.length, from));
    // The first line may have lost its beginning.
    return from === 0 ? text : text.slice(text.indexOf("\n") + 1);
  } finally {
    closeSync(fd);
  }
}
