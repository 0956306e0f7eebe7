import type { Context } from "./context.ts";
import { DaemonError } from "./daemon-error.ts";
import { ourMounts } from "./mount-table.ts";
import { umount } from "./native/mount.ts";
import { errorText } from "./native/system-error.ts";

/** Unmounts all that is mounted in the guest's tree, what was mounted last first. Live: only what this conversation mounted. */
export function unmountAll(context: Pick<Context, "state">): void {
  for (const { target } of ourMounts(context.state).toReversed()) {
    try {
      umount(target, 0);
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      throw new DaemonError(`${target}: ${errorText(code)}`, code, { cause: error });
    }
  }
}
