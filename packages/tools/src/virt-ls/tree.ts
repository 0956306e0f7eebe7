import type { Statns } from "@guestfs/schema";
import type { Guestfs } from "guestfs";

/** One thing found in a tree. */
export interface TreeEntry {
  /** Absolute path in the machine. */
  readonly path: string;
  readonly stat: Statns;
  /** Where a symbolic link leads; empty for anything else. */
  readonly target: string;
}

/** How many names are asked about in one call of the daemon. */
const batchSize = 1000;

const typeMask = 0o170000;
const folderType = 0o040000;
const linkType = 0o120000;

function isType(stat: Statns, type: number): boolean {
  return (stat.st_mode & typeMask) === type;
}

function join(folder: string, name: string): string {
  return folder === "/" ? `/${name}` : `${folder}/${name}`;
}

async function entriesOf(
  g: Guestfs,
  folder: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<TreeEntry[]> {
  const stats = await g.lstatnslist(folder, names, { signal });
  const links = names.filter((_, at) => isType(stats[at] as Statns, linkType));
  const targets = links.length === 0 ? [] : await g.readlinklist(folder, links, { signal });
  const targetOf = new Map(links.map((name, at) => [name, targets[at] ?? ""]));
  return names.flatMap((name, at) => {
    const stat = stats[at] as Statns;
    // Gone since its folder was read: a machine that runs goes on working.
    if (stat.st_ino === -1n) return [];
    return [{ path: join(folder, name), stat, target: targetOf.get(name) ?? "" }];
  });
}

async function* below(g: Guestfs, folder: string, signal: AbortSignal): AsyncGenerator<TreeEntry[]> {
  const names = await g.ls(folder, { signal });
  for (let start = 0; start < names.length; start += batchSize) {
    let run: TreeEntry[] = [];
    for (const entry of await entriesOf(g, folder, names.slice(start, start + batchSize), signal)) {
      run.push(entry);
      if (!isType(entry.stat, folderType)) continue;
      yield run;
      run = [];
      yield* below(g, entry.path, signal);
    }
    if (run.length > 0) yield run;
  }
}

/**
 * Everything in a tree, each folder before what is in it, the names of a folder in the order of their bytes. Two or three
 * calls of the daemon for up to a thousand names of a folder; what is held is the names of the folders on the way down.
 * @param top - absolute path of a folder
 */
export async function* treeOf(g: Guestfs, top: string, signal: AbortSignal): AsyncGenerator<TreeEntry[]> {
  const folder = top.replace(/(?<=.)\/+$/, "");
  yield [{ path: folder, stat: await g.lstatns(folder, { signal }), target: "" }];
  yield* below(g, folder, signal);
}
