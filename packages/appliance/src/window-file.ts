import { randomBytes } from "node:crypto";
import { open, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { windowSize } from "@guestfs/protocol";

/** A window's file. */
export interface WindowFile {
  readonly file: FileHandle;
  /** Whether all of it has room: writing to it always works. */
  readonly hasRoom: boolean;
}

async function makeIn(folder: string, fill: (file: FileHandle) => Promise<void>): Promise<FileHandle> {
  const path = join(folder, `guestfs-${randomBytes(12).toString("hex")}`);
  const file = await open(path, "wx+", 0o600);
  try {
    await unlink(path);
    await fill(file);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

// In a file that is all hole, a write may find that the place is full.
const fillAll = (file: FileHandle): Promise<void> => file.writeFile(Buffer.alloc(windowSize));

/**
 * Makes the file behind a machine's window: in memory where there is such a place with room, and without a name, so that only who inherits
 * it can open it and nothing of it stays behind.
 *
 * @param folders where it may be, the best first
 * @throws Error of the filesystem
 */
export async function makeWindowFile(folders: readonly string[] = ["/dev/shm", tmpdir()]): Promise<WindowFile> {
  for (const folder of folders) {
    const file = await makeIn(folder, fillAll).catch(() => undefined);
    if (file !== undefined) return { file, hasRoom: true };
  }
  const file = await makeIn(folders.at(-1) ?? tmpdir(), (empty) => empty.truncate(windowSize));
  return { file, hasRoom: false };
}
