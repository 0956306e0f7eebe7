import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DaemonState } from "./daemon-state.ts";
import { frozenState } from "./live/frozen-state.ts";
import { attachMount } from "./native/detached-mount.ts";
import { MNT_DETACH, umount } from "./native/mount.ts";
import { withTemporaryMount } from "./temporary-mount.ts";

/** Whether the machine's own folder for such things can't be written to, or must not be. */
function isForbidden({ guard, options }: DaemonState): boolean {
  return (
    guard?.readOnly === true || (options.service !== undefined && frozenState(options.service.runFolder) !== undefined)
  );
}

/** Does something with a folder, by a path that leads to it without a symbolic link. */
export type WithPlainPath = <T>(action: (path: string) => T) => T;

/**
 * Hands on a folder for files that a program writes and the daemon reads, and removes it. It is in memory where the machine is not to be
 * changed, or its filesystems are frozen.
 * @param use - given the folder, and what takes the place of the machine's own temporary folder with it for a library that resolves its
 * path by itself
 */
export function withScratchFolder<T>(state: DaemonState, use: (folder: string, withPlainPath: WithPlainPath) => T): T {
  // Who is not root can have no mount; the files are gone afterwards in any case.
  if (isForbidden(state) && process.geteuid?.() === 0)
    return withTemporaryMount("tmpfs", { mode: "0700" }, (folder, fd) =>
      use(folder, (action) => state.insideReadOnly(() => withMountAt(fd, tmpdir(), action))),
    );
  const folder = mkdtempSync(join(tmpdir(), "guestfsd-"));
  try {
    return use(folder, (action) => action(folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function withMountAt<T>(fd: number, place: string, action: (path: string) => T): T {
  attachMount(fd, place);
  try {
    return action(place);
  } finally {
    umount(place, MNT_DETACH);
  }
}
