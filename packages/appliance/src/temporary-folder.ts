import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { lstat, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** Where process numbers mean what they mean here: this boot of this host, and in it this namespace. */
function placeOfProcesses(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1");
    return createHash("sha256")
      .update(boot + readlinkSync("/proc/self/ns/pid"))
      .digest("hex")
      .slice(0, 8);
  } catch {
    return "unknown";
  }
}

let place: string | undefined;
const lookedAt = new Set<string>();

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** Whether a folder is this user's alone: in another's, who owns it could lead what removes it elsewhere. */
async function isOwn(folder: string): Promise<boolean> {
  const stats = await lstat(folder).catch(() => undefined);
  return stats?.isDirectory() === true && stats.uid === process.geteuid?.() && (stats.mode & 0o077) === 0;
}

/** Removes what programs of this user that were killed left in a folder for temporary files. What can't be removed stays. */
export async function removeAbandoned(parent: string): Promise<void> {
  place ??= placeOfProcesses();
  if (place === "unknown") return;
  const pattern = new RegExp(`^guestfs-${place}-(\\d+)-\\w{6}$`);
  for (const name of await readdir(parent).catch(() => [])) {
    const pid = pattern.exec(name)?.[1];
    const folder = join(parent, name);
    if (pid !== undefined && isGone(Number(pid)) && (await isOwn(folder)))
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

/**
 * Makes a folder of mode 0700 that this process is to remove. If it is killed before, the next program that makes one
 * in the same place removes it: the name tells whose it is.
 *
 * @throws an error of the filesystem
 */
export async function makeTemporaryFolder(parent: string): Promise<string> {
  place ??= placeOfProcesses();
  const folder = await mkdtemp(join(parent, `guestfs-${place}-${process.pid}-`));
  if (!lookedAt.has(parent)) {
    lookedAt.add(parent);
    void removeAbandoned(parent);
  }
  return folder;
}
