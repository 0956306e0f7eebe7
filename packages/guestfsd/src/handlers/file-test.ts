import { fstatSync, lstatSync } from "node:fs";
import type { Stats } from "node:fs";
import type { Context, HandlersOf } from "../context.ts";
import { O_PATH } from "../native/file.ts";
import { fsPath } from "../sysroot.ts";

const absent = new Set(["ENOENT", "ENOTDIR"]);

/** lstat(2) or stat(2) of a path of the guest; `undefined` when nothing is there. */
export function statOf(context: Context, path: string, follow: boolean): Stats | undefined {
  try {
    return follow
      ? context.sysroot.withOpen(path, O_PATH, (fd) => fstatSync(fd))
      : context.sysroot.withPlace(path, (place) => lstatSync(fsPath(place.path), { throwIfNoEntry: false }));
  } catch (error) {
    if (absent.has((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

interface Question {
  readonly path: string;
  readonly followsymlinks?: boolean | undefined;
}

function test(is: (stat: Stats) => boolean) {
  return ({ path, followsymlinks }: Question, context: Context): boolean => {
    const stat = statOf(context, path, followsymlinks ?? false);
    return stat !== undefined && is(stat);
  };
}

type Names = "exists" | "is_blockdev" | "is_chardev" | "is_dir" | "is_fifo" | "is_file" | "is_socket" | "is_symlink";

/** What is there, and of which kind. */
export const fileTest: Pick<HandlersOf<"file">, Names> = {
  exists({ path }, context) {
    try {
      return statOf(context, path, false) !== undefined;
    } catch {
      return false;
    }
  },
  is_blockdev: test((stat) => stat.isBlockDevice()),
  is_chardev: test((stat) => stat.isCharacterDevice()),
  is_dir: test((stat) => stat.isDirectory()),
  is_fifo: test((stat) => stat.isFIFO()),
  is_file: test((stat) => stat.isFile()),
  is_socket: test((stat) => stat.isSocket()),
  is_symlink: test((stat) => stat.isSymbolicLink()),
};
