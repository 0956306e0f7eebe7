import type { Guestfs } from "guestfs";
import type { Candidate } from "./candidate.ts";
import { beginningWith } from "./candidate.ts";

/** Devices of the guest whose name begins with what is typed. */
export async function guestDevices(handle: Guestfs, typed: string): Promise<Candidate[]> {
  // A daemon without one of them has the others.
  const lists = await Promise.allSettled([
    handle.listDevices(),
    handle.listPartitions(),
    handle.lvs(),
    handle.listMdDevices(),
    handle.listDmDevices(),
  ]);
  const names = new Set(lists.flatMap((list) => (list.status === "fulfilled" ? list.value : [])));
  return beginningWith(
    [...names].map((text) => ({ text, open: false })),
    typed,
  );
}

/** Paths of the guest that begin with what is typed; none for a folder that can't be read. */
export async function guestPaths(handle: Guestfs, typed: string): Promise<Candidate[]> {
  if (typed !== "" && !typed.startsWith("/")) return [];
  const folder = typed.slice(0, typed.lastIndexOf("/") + 1) || "/";
  const entries = await handle.readdir(folder).catch(() => []);
  const candidates = entries
    // A name that is no UTF-8 can't be typed.
    .filter(({ name }) => name !== "." && name !== ".." && !name.includes("\ufffd"))
    .map(({ name, ftyp }) => ({ text: `${folder}${name}`, ftyp }));
  const found = beginningWith(
    candidates.map(({ text, ftyp }) => ({ text, open: ftyp === "d" })),
    typed,
  );
  const [only] = found;
  if (found.length !== 1 || only === undefined || only.open) return found;
  // Of a single symlink it matters where it leads.
  return [{ text: only.text, open: await handle.isDir(only.text, { followsymlinks: true }).catch(() => false) }];
}
