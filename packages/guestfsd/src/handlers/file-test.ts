import { constants } from "node:fs";
import type { Context, HandlersOf } from "../context.ts";
import { O_NOFOLLOW, O_PATH } from "../native/file.ts";
import { openType } from "../native/stat.ts";

const { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK } = constants;

const absent = new Set(["ENOENT", "ENOTDIR"]);

/** What kind of file a path of the guest is, as one of `S_IFREG`, `S_IFDIR` ...; `undefined` when nothing is there. */
export function typeOf(context: Context, path: string, follow: boolean): number | undefined {
  try {
    // A slash at its end would have a link followed.
    return follow
      ? context.sysroot.withOpen(path, O_PATH, openType)
      : context.sysroot.withOpen(withoutSlashes(path), O_PATH | O_NOFOLLOW, openType);
  } catch (error) {
    if (absent.has((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

function withoutSlashes(path: string): string {
  return path.endsWith("/") ? path.replace(/\/+$/, "") || "/" : path;
}

interface Question {
  readonly path: string;
  readonly followsymlinks?: boolean | undefined;
}

function is(type: number) {
  return ({ path, followsymlinks }: Question, context: Context): boolean =>
    typeOf(context, path, followsymlinks ?? false) === type;
}

type Names = "exists" | "is_blockdev" | "is_chardev" | "is_dir" | "is_fifo" | "is_file" | "is_socket" | "is_symlink";

/** What is there, and of which kind. */
export const fileTest: Pick<HandlersOf<"file">, Names> = {
  exists({ path }, context) {
    try {
      return typeOf(context, path, false) !== undefined;
    } catch {
      return false;
    }
  },
  is_blockdev: is(S_IFBLK),
  is_chardev: is(S_IFCHR),
  is_dir: is(S_IFDIR),
  is_fifo: is(S_IFIFO),
  is_file: is(S_IFREG),
  is_socket: is(S_IFSOCK),
  is_symlink: is(S_IFLNK),
};
