import { closeSync, constants } from "node:fs";
import {
  batchSize,
  decodeEntry,
  DT_DIR,
  DT_UNKNOWN,
  isDots,
  makeEntry,
  openAt,
  readEntries,
} from "./native/directory.ts";
import { O_DIRECTORY, O_NOFOLLOW } from "./native/file.ts";
import { statName } from "./native/stat.ts";

/** Something below the folder where a walk began. The same object stands for each one: valid until the next one is taken. */
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
const none: Buffer = Buffer.alloc(0);
const zero = Buffer.alloc(1);

/** The path of the folder where a walk is: one piece of memory, however deep it is. */
class Prefix {
  #bytes = Buffer.allocUnsafe(4096);

  /** Puts a name and a slash behind the first `length` bytes. @returns the new length */
  append(length: number, name: Buffer): number {
    const end = length + name.length + 1;
    if (end > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], 2 * end);
    name.copy(this.#bytes, length);
    this.#bytes[end - 1] = 0x2f;
    return end;
  }

  first(length: number): Buffer {
    return this.#bytes.subarray(0, length);
  }
}

/** A folder on the way down. */
interface Level {
  readonly fd: number;
  /** bytes of the path that leads to it */
  readonly prefix: number;
  /** names of folders that were found in it and not gone into yet, each with a NUL behind it */
  folders: Buffer;
  ended: boolean;
}

function openFolder(folder: number, name: Buffer): number | undefined {
  try {
    return openAt(folder, name, openFlags);
  } catch (error) {
    if (gone.has((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

/**
 * All that lies below an open folder, each folder before what is in it; symlinks are not followed. A large folder is read
 * in parts, with what lies below each part behind it: little of a tree is in memory, however large it is.
 * @param top - opened for reading; stays open
 */
export function* walkTree(top: number, pulse: () => void): Generator<TreeEntry> {
  const path = new Prefix();
  const batch = Buffer.allocUnsafe(batchSize);
  const entry = { ...makeEntry(), prefix: none, folder: top };
  const levels: Level[] = [{ fd: top, prefix: 0, folders: none, ended: false }];
  try {
    for (let level = levels.at(-1); level; level = levels.at(-1)) {
      if (level.folders.length > 0) {
        const name = level.folders.subarray(0, level.folders.indexOf(0));
        level.folders = level.folders.subarray(name.length + 1);
        const fd = openFolder(level.fd, name);
        if (fd !== undefined) levels.push({ fd, prefix: path.append(level.prefix, name), folders: none, ended: false });
      } else if (level.ended) {
        if (level.fd !== top) closeSync(level.fd);
        levels.pop();
      } else {
        const folders: Buffer[] = [];
        const length = readEntries(level.fd, batch);
        level.ended = length === 0;
        entry.prefix = path.first(level.prefix);
        entry.folder = level.fd;
        for (let at = 0; at < length;) {
          at = decodeEntry(batch, at, entry);
          const { name } = entry;
          if (isDots(name)) continue;
          pulse();
          if (entry.type === DT_UNKNOWN) entry.type = statName(level.fd, name).st_mode >> fileTypeShift;
          if (entry.type === DT_DIR) folders.push(name, zero);
          yield entry;
        }
        level.folders = Buffer.concat(folders);
      }
    }
  } finally {
    for (const { fd } of levels) if (fd !== top) closeSync(fd);
  }
}
