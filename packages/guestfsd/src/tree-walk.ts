import { closeSync, constants } from "node:fs";
import { DT_DIR, DT_UNKNOWN, isDots, openAt, readDirectory } from "./native/directory.ts";
import { O_DIRECTORY, O_NOFOLLOW } from "./native/file.ts";
import { statName } from "./native/stat.ts";

/** Something below the folder where a walk began. Valid during the visit only. */
export interface TreeEntry {
  /** path of its folder from the start, with a slash at the end; empty at the start */
  readonly prefix: Buffer;
  readonly name: Buffer;
  /** one of the DT_ values, never DT_UNKNOWN */
  readonly type: number;
  /** descriptor of its folder */
  readonly folder: number;
}

/** A folder of a machine that runs changes under the walk. */
const gone = new Set(["ENOENT", "ENOTDIR", "ESRCH"]);

const fileTypeShift = 12;
const openFlags = constants.O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

interface Level {
  readonly fd: number;
  readonly prefix: Buffer;
  readonly folders: Buffer[];
}

function readLevel(fd: number, prefix: Buffer, visit: (entry: TreeEntry) => void): Level {
  const folders: Buffer[] = [];
  readDirectory(fd, ({ name, type: told }) => {
    if (isDots(name)) return;
    let type = told;
    if (type === DT_UNKNOWN) type = statName(fd, name).st_mode >> fileTypeShift;
    visit({ prefix, name, type, folder: fd });
    if (type === DT_DIR) folders.push(Buffer.from(name));
  });
  return { fd, prefix, folders };
}

/**
 * Visits all that lies below an open folder, each folder before what is in it; symlinks are not followed.
 * @param top - opened for reading; stays open
 */
export function walkTree(top: number, visit: (entry: TreeEntry) => void): void {
  const levels: Level[] = [];
  try {
    levels.push(readLevel(top, Buffer.alloc(0), visit));
    for (let level = levels.at(-1); level; level = levels.at(-1)) {
      const name = level.folders.pop();
      if (!name) {
        if (level.fd !== top) closeSync(level.fd);
        levels.pop();
        continue;
      }
      let fd: number;
      try {
        fd = openAt(level.fd, name, openFlags);
      } catch (error) {
        if (gone.has((error as NodeJS.ErrnoException).code ?? "")) continue;
        throw error;
      }
      try {
        levels.push(readLevel(fd, Buffer.concat([level.prefix, name, Buffer.from("/")]), visit));
      } catch (error) {
        closeSync(fd);
        throw error;
      }
    }
  } finally {
    for (const { fd } of levels) if (fd !== top) closeSync(fd);
  }
}
