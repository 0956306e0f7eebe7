import { randomBytes } from "node:crypto";
import { utimesSync } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";

const DRAFT = "draft";

async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Makes a folder under a name that no reader looks at, lets `fill` work in it, and moves it into place when its files are on the disk:
 * readers see it whole or not at all, also after the host has lost its power. What was at `name` is replaced. A draft that fails is removed. Call it under the cache's lock.
 *
 * @param prefix - what names of drafts begin with, for drafts that are made under a lock of their own
 */
export async function buildFolder(
  parent: string,
  name: string,
  fill: (draft: string) => Promise<void>,
  prefix: string = DRAFT,
): Promise<void> {
  const draft = join(parent, `${prefix}-${process.pid}-${randomBytes(6).toString("hex")}`);
  await mkdir(draft, { recursive: true, mode: 0o700 });
  try {
    await fill(draft);
    for (const each of await readdir(draft)) await sync(join(draft, each));
    await sync(draft);
    const target = join(parent, name);
    await rm(target, { recursive: true, force: true });
    await rename(draft, target);
    await sync(parent);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

/** Marks a folder as used now, if that can be done: what was not used for long is removed. */
export function touch(folder: string): void {
  const now = new Date();
  try {
    utimesSync(folder, now, now);
  } catch {
    // It may be removed earlier then.
  }
}

/** Removes the drafts of builders that were killed. Only whoever holds the cache's lock may call it. */
export async function removeDrafts(parent: string, prefix: string = DRAFT): Promise<void> {
  const pattern = new RegExp(`^${prefix}-\\d+-[0-9a-f]+$`);
  for (const name of await readdir(parent).catch(() => [])) {
    if (pattern.test(name)) await rm(join(parent, name), { recursive: true, force: true });
  }
}

const KEEP_NEWEST = 3;
const KEEP_MS = 10 * 60 * 1000;

/**
 * Removes appliances that were replaced: those not in `keep`, not used in the last ten minutes, and not among the three used last (another
 * program may be about to start one). A QEMU that has one open is not disturbed. Only whoever holds the cache's lock may call it.
 */
export async function removeOld(parent: string, keep: readonly string[]): Promise<void> {
  for (const kind of ["root-", "system-"]) {
    const names = (await readdir(parent)).filter((name) => name.startsWith(kind) && !name.endsWith(".json"));
    const aged = await Promise.all(
      names.map(async (name) => ({ name, usedMs: (await stat(join(parent, name))).mtimeMs })),
    );
    const old = aged.sort((a, b) => b.usedMs - a.usedMs).slice(KEEP_NEWEST);
    for (const { name, usedMs } of old) {
      if (!keep.includes(name) && usedMs < Date.now() - KEEP_MS)
        await rm(join(parent, name), { recursive: true, force: true });
    }
  }
}
