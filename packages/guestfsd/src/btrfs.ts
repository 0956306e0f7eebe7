import type { Context } from "./context.ts";
import { isBlockDevice, parseMountable } from "./device.ts";
import { run } from "./exec.ts";
import type { RunOptions } from "./exec.ts";
import { withTemporaryMount } from "./temporary-mount.ts";

/** Runs btrfs(8) and gives its output. */
export function btrfs(argv: readonly string[], options: RunOptions = {}): string {
  return run(["btrfs", ...argv], options).stdout.toString("utf8");
}

/** Hands on a folder of a file system that is named by a path of the guest, or by its device, which is mounted meanwhile. */
export function withFileSystem<T>(context: Context, fs: string, use: (folder: string) => T): T {
  if (!fs.startsWith("/dev/") && !fs.startsWith("btrfsvol:")) return use(context.sysroot.outside(fs));
  const { device, subvolume } = parseMountable(fs, isBlockDevice);
  return withTemporaryMount(device, { type: "btrfs", data: subvolume === undefined ? "" : `subvol=${subvolume}` }, use);
}
