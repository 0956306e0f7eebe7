import { constants } from "node:os";
import { hostCommandsRunning } from "./host-commands.ts";
import type { Shell } from "./shell.ts";

/** How long closing may take after a signal before the process ends all the same. */
const patience = 10_000;

/** Makes signals cancel the running call or end the process in order; gives what undoes it. */
export function handleSignals(shell: Shell): () => void {
  const leave = (signal: "SIGINT" | "SIGTERM" | "SIGHUP"): void => {
    const status = 128 + constants.signals[signal];
    shell.endedBy = status;
    shell.leaving = true;
    shell.interrupt();
    // Should what runs now come to its end by itself, that status counts as well; this is for what does not.
    const exit = (): never => process.exit(status);
    setTimeout(exit, patience);
    shell.close().then(exit, exit);
  };
  const interrupted = (): void => {
    // Ctrl-C goes to the editor or pager too, and is theirs.
    if (hostCommandsRunning() > 0 && !shell.busy) return;
    // At the prompt there is always a next command; what cannot be stopped was let go.
    if (!shell.interrupt() && (!shell.interactive || shell.leaving)) leave("SIGINT");
  };
  const terminated = (): void => leave("SIGTERM");
  const hungUp = (): void => leave("SIGHUP");
  process.on("SIGINT", interrupted).on("SIGTERM", terminated).on("SIGHUP", hungUp);
  return () => void process.off("SIGINT", interrupted).off("SIGTERM", terminated).off("SIGHUP", hungUp);
}
