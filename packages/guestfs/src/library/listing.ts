import { decodeText, namesPerCall } from "@guestfs/protocol";
import type { Dirent, Stat, Statns } from "@guestfs/schema";
import type { CallContext } from "../call-context.ts";
import { RemoteError } from "../errors.ts";
import type { LibraryFunctions } from "./library.ts";
import { structsIn } from "./records.ts";

/** Names that end with NUL each, in the order of their bytes. */
function sortedNames(content: Uint8Array): string[] {
  const names: Uint8Array[] = [];
  let start = 0;
  for (let end = content.indexOf(0); end >= 0; end = content.indexOf(0, start)) {
    names.push(content.subarray(start, end));
    start = end + 1;
  }
  return names.sort((a, b) => Buffer.compare(a, b)).map(decodeText);
}

async function inBatches<T>(
  names: readonly string[],
  call: (batch: readonly string[]) => Promise<readonly T[]>,
): Promise<T[]> {
  const results: T[] = [];
  for (let start = 0; start < names.length; start += namesPerCall)
    for (const result of await call(names.slice(start, start + namesPerCall))) results.push(result);
  return results;
}

function withoutNanoseconds(from: Statns): Stat {
  return {
    dev: from.st_dev,
    ino: from.st_ino,
    mode: from.st_mode,
    nlink: from.st_nlink,
    uid: from.st_uid,
    gid: from.st_gid,
    rdev: from.st_rdev,
    size: from.st_size,
    blksize: from.st_blksize,
    blocks: from.st_blocks,
    atime: from.st_atime_sec,
    mtime: from.st_mtime_sec,
    ctime: from.st_ctime_sec,
  };
}

function statnsOf(context: CallContext, path: string, names: readonly string[]): Promise<Statns[]> {
  return inBatches(names, (batch) => context.call("internal_lstatnslist", { path, names: batch }));
}

/** The stock daemon has no errno of its own for a procedure that it does not know. */
export function isUnknownProcedure(error: unknown): boolean {
  return error instanceof RemoteError && error.message.includes("unknown procedure");
}

async function readdir(context: CallContext, dir: string): Promise<Dirent[]> {
  const { retiredReaddir } = context.handle;
  if (!retiredReaddir.has(context.handle.readyConnection(context.procedure))) {
    try {
      return structsIn<Dirent>("dirent", await context.callForContent("internal_readdir", { dir }));
    } catch (error) {
      if (!isUnknownProcedure(error)) throw error;
      retiredReaddir.add(context.handle.readyConnection(context.procedure));
    }
  }
  return context.call("retired_readdir", { dir });
}

/** Directories and the properties of many files. */
export const listingFunctions: LibraryFunctions<
  "find" | "ls" | "lstat" | "lstatlist" | "lstatnslist" | "lxattrlist" | "readdir" | "readlinklist" | "stat"
> = {
  find: async (context, directory) => sortedNames(await context.callForContent("find0", { directory })),
  ls: async (context, directory) => sortedNames(await context.callForContent("ls0", { dir: directory })),
  lstat: async (context, path) => withoutNanoseconds(await context.call("lstatns", { path })),
  lstatlist: async (context, path, names) => (await statnsOf(context, path, names)).map(withoutNanoseconds),
  lstatnslist: statnsOf,
  lxattrlist: (context, path, names) =>
    inBatches(names, (batch) => context.call("internal_lxattrlist", { path, names: batch })),
  readdir,
  readlinklist: (context, path, names) =>
    inBatches(names, (batch) => context.call("internal_readlinklist", { path, names: batch })),
  stat: async (context, path) => withoutNanoseconds(await context.call("statns", { path })),
};
