import { randomBytes } from "node:crypto";
import { open, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Bytes of the window, and the serial number by which the daemon knows its disk (guestfsd's transfer-window.ts). */
export const windowSize: number = 4 * 1024 * 1024;
export const windowSerial = "guestfs-window";

async function makeIn(folder: string): Promise<FileHandle> {
  const path = join(folder, `guestfs-${randomBytes(12).toString("hex")}`);
  const file = await open(path, "wx+", 0o600);
  try {
    await unlink(path);
    await file.truncate(windowSize);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Makes the file behind a machine's window: in memory where there is such a place, and without a name, so that only who inherits it can
 * open it and nothing of it stays behind.
 *
 * @throws Error of the filesystem
 */
export async function makeWindowFile(): Promise<FileHandle> {
  return makeIn("/dev/shm").catch(() => makeIn(tmpdir()));
}
