import { decodeText, namesPerCall, ProtocolError } from "@guestfs/protocol";
import type { Dirent, ProcedureMap, Stat, Statns } from "@guestfs/schema";
import type { CallContext } from "../call-context.ts";
import { GuestfsError, RemoteError } from "../errors.ts";
import type { LibraryFunctions } from "./library.ts";
import { recordsMax, structsIn } from "./records.ts";

/** Most names, and bytes of names, that one call gives; a tree with more is for `find0`, which writes them to a file. */
const [namesMax, namesBytesMax] = [10_000_000, 512 * 1024 * 1024];

/** Names that end with NUL each, in the order of their bytes. @throws GuestfsError with code LOCAL when there are too many */
function sortedNames({ procedure }: CallContext, content: Uint8Array): string[] {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const names: string[] = [];
  let start = 0;
  for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
    if (names.length === namesMax)
      throw new GuestfsError("LOCAL", `more than ${namesMax} names, too many to be kept in memory`, { procedure });
    // A character for each byte: they sort as the bytes do.
    names.push(bytes.toString("latin1", start, end));
    start = end + 1;
  }
  names.sort();
  for (const [at, name] of names.entries())
    if (/[\x80-\xff]/.test(name)) names[at] = decodeText(Buffer.from(name, "latin1"));
  return names;
}

async function namesFrom<N extends "find0" | "ls0">(
  context: CallContext,
  name: N,
  args: ProcedureMap[N]["args"],
): Promise<string[]> {
  return sortedNames(context, await context.callForContent(name, args, namesBytesMax));
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

/** The same, where each name has one result. @throws ProtocolError when it has not */
async function eachInBatches<T>(
  { procedure }: CallContext,
  names: readonly string[],
  call: (batch: readonly string[]) => Promise<readonly T[]>,
): Promise<T[]> {
  const results = await inBatches(names, call);
  if (results.length !== names.length)
    throw new ProtocolError(`${procedure}: ${results.length} results for ${names.length} names`);
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
  return eachInBatches(context, names, (batch) => context.call("internal_lstatnslist", { path, names: batch }));
}

/** The stock daemon has no errno of its own for a procedure that it does not know. */
export function isUnknownProcedure(error: unknown): boolean {
  return error instanceof RemoteError && error.message.includes("unknown procedure");
}

async function readdir(context: CallContext, dir: string): Promise<Dirent[]> {
  const { retiredReaddir } = context.handle;
  if (!retiredReaddir.has(context.handle.readyConnection(context.procedure))) {
    try {
      return structsIn<Dirent>("dirent", await context.callForContent("internal_readdir", { dir }, recordsMax));
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
  find: (context, directory) => namesFrom(context, "find0", { directory }),
  ls: (context, dir) => namesFrom(context, "ls0", { dir }),
  lstat: async (context, path) => withoutNanoseconds(await context.call("lstatns", { path })),
  lstatlist: async (context, path, names) => (await statnsOf(context, path, names)).map(withoutNanoseconds),
  lstatnslist: statnsOf,
  lxattrlist: (context, path, names) =>
    inBatches(names, (batch) => context.call("internal_lxattrlist", { path, names: batch })),
  readdir,
  readlinklist: (context, path, names) =>
    eachInBatches(context, names, (batch) => context.call("internal_readlinklist", { path, names: batch })),
  stat: async (context, path) => withoutNanoseconds(await context.call("statns", { path })),
};
