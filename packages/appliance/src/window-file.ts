import { randomBytes } from "node:crypto";
import { open, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { windowSize } from "@guestfs/protocol";

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
