import { readdir, stat } from "node:fs/promises";
import { fromText, toText } from "../byte-string.ts";
import { expandTilde } from "../tilde.ts";
import type { Candidate } from "./candidate.ts";
import { beginningWith } from "./candidate.ts";

/** Files of this host that begin with what is typed; those with a dot only when it is typed. */
export async function hostFiles(typed: string): Promise<Candidate[]> {
  const slash = typed.lastIndexOf("/") + 1;
  const folder = typed.slice(0, slash);
  const base = typed.slice(slash);
  const place = folder.startsWith("~") ? toText(expandTilde(fromText(folder))) : folder;
  const entries = await readdir(place === "" ? "." : place, { withFileTypes: true }).catch(() => []);
  const candidates = await Promise.all(
    entries
      .filter(({ name }) => base.startsWith(".") || !name.startsWith("."))
      .filter(({ name }) => name.toLowerCase().startsWith(base.toLowerCase()))
      .map(async (entry) => ({
        text: `${folder}${entry.name}`,
        open: entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(`${place}${entry.name}`))),
      })),
  );
  return beginningWith(candidates, typed);
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
