import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { run } from "../exec.ts";
import { expandGlob } from "../glob.ts";

/** What rsync(1) is told beside the two ends. */
interface RsyncOptions {
  readonly archive?: boolean | undefined;
  readonly deletedest?: boolean | undefined;
}

function rsyncRun(context: Context, sources: readonly string[], target: string, options: RsyncOptions): void {
  const argv = [...(options.archive ? ["--archive"] : []), ...(options.deletedest ? ["--delete"] : [])];
  run(["rsync", ...argv, "--", ...sources, target], { pulse: context.pulse });
}

/** A slash at the end means a folder's content: it stays. */
const withSlash = (path: string, resolved: string): string =>
  path.endsWith("/") && !resolved.endsWith("/") ? `${resolved}/` : resolved;

function target(context: Context, dest: string): string {
  try {
    return withSlash(dest, context.sysroot.outside(dest));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return withSlash(dest, context.sysroot.outsidePlace(dest));
  }
}

/** Copies by rsync(1), in the guest or between it and another machine. */
export const rsync: HandlersOf<"rsync"> = {
  rsync({ src, dest, ...options }, context) {
    rsyncRun(context, [withSlash(src, context.sysroot.outside(src))], target(context, dest), options);
  },
  rsync_in({ remote, dest, ...options }, context) {
    rsyncRun(context, [remote], target(context, dest), options);
  },
  rsync_out({ src, remote, ...options }, context) {
    const sources = expandGlob(context, src, false).map((path) => withSlash(src, context.sysroot.outside(path)));
    if (sources.length === 0) throw new DaemonError(`${src}: nothing matches`, "ENOENT");
    rsyncRun(context, sources, remote, options);
  },
};
