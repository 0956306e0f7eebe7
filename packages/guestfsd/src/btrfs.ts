import type { Context } from "./context.ts";
import { isBlockDevice, parseMountable } from "./device.ts";
import { run } from "./exec.ts";
import type { RunOptions } from "./exec.ts";
import { checkLoaded } from "./kernel-filesystem.ts";
import { withTemporaryMount } from "./temporary-mount.ts";

/** Runs btrfs(8) and gives its output. */
export function btrfs(argv: readonly string[], options: RunOptions = {}): string {
  return run(["btrfs", ...argv], options).stdout.toString("utf8");
}

// The kernel's name of it since Linux 5.9; it wants `ro`.
const untouched = { ro: true, rescue: "nologreplay" } as const;

/**
 * Hands on a folder of a file system that is named by a path of the guest, or by its device, which is mounted meanwhile.
 * @param access - `read` replays no log and writes nothing
 */
export function withFileSystem<T>(
  context: Context,
  fs: string,
  access: "read" | "write",
  use: (folder: string) => T,
): T {
  if (!fs.startsWith("/dev/") && !fs.startsWith("btrfsvol:")) return use(context.sysroot.outside(fs));
  const { device, subvolume } = parseMountable(fs, isBlockDevice);
  checkLoaded(context.state, "btrfs");
  const place = subvolume === undefined ? {} : { subvol: subvolume };
  return withTemporaryMount("btrfs", { source: device, ...place, ...(access === "read" ? untouched : {}) }, use);
}
