import type { Statns } from "@guestfs/schema";
import { RemoteError } from "../errors.ts";
import { CommandLineError } from "./command-line-error.ts";
import type { CommandLineHandle } from "./handle.ts";

/** Where a file can be prepared, and put into its place, while users of the machine are at work. */
export interface SafeFolder {
  /** A folder that takes a folder of root's which no user can move or replace. */
  readonly path: string;
  /** Whether the path of the file's own folder leads to the same folder whatever a user does. */
  readonly firm: boolean;
}

interface Folder {
  readonly path: string;
  /** Absent where a policy does not let it be looked at. */
  readonly stat: Statns | undefined;
}

const typeBits = 0o170000;
const folderType = 0o040000;
const sticky = 0o1000;

/** The folder of a path, with a slash at its end. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

async function look(g: CommandLineHandle, path: string): Promise<Folder> {
  let stat: Statns;
  try {
    stat = await g.lstatns(path);
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    // Whatever a user puts there instead of it, the policy keeps us where it allows us to be.
    return { path, stat: undefined };
  }
  if ((stat.st_mode & typeBits) !== folderType) throw new CommandLineError(`${path}: it is no longer a folder`);
  return { path, stat };
}

/** Whether only root makes and removes names in it. */
function isRoots({ st_uid: uid, st_gid: gid, st_mode: mode }: Statns): boolean {
  return uid === 0 && (mode & (gid === 0 ? 0o002 : 0o022)) === 0;
}

function isSticky({ st_uid: uid, st_mode: mode }: Statns): boolean {
  return uid === 0 && (mode & sticky) !== 0;
}

/** Whether a name in a folder stays what it is, whatever users do. */
function keeps({ stat: folder }: Folder, { stat: entry }: Folder): boolean {
  return folder === undefined || isRoots(folder) || (isSticky(folder) && (entry === undefined || entry.st_uid === 0));
}

/**
 * Finds out what users of a machine that runs can do about the way to a file. Who owns a folder can put a symlink where
 * something was that root made there, also between two calls; a folder in a folder of root's stays.
 * @param target - canonical path of the file
 * @throws CommandLineError when the path is not canonical any more
 */
export async function findSafeFolder(g: CommandLineHandle, target: string): Promise<SafeFolder> {
  const names = target.split("/").slice(1, -1);
  const folders: Folder[] = [];
  for (let depth = 0; depth <= names.length; depth++)
    folders.push(await look(g, `/${names.slice(0, depth).join("/")}`));
  const device = folders.at(-1)?.stat?.st_dev;
  const safe: Folder[] = [];
  let firm = true;
  folders.forEach((folder, at) => {
    const above = folders[at - 1];
    firm &&= above === undefined || keeps(above, folder);
    if (firm && folder.stat && (isRoots(folder.stat) || isSticky(folder.stat))) safe.push(folder);
  });
  const best = safe.findLast(({ stat }) => stat?.st_dev === device) ?? safe.at(-1);
  // Where not even the root is root's, nothing can be held.
  return best === undefined ? { path: folderOf(target), firm: true } : { path: best.path, firm };
}
