import type { ChildProcess } from "node:child_process";

const running = new Set<ChildProcess>();

/** How many commands of the host run now. Apart from what starts them, which is loaded only when needed. */
export function hostCommandsRunning(): number {
  return running.size;
}

/** Counts a command of the host as running until it ends. */
export function noteHostCommand(child: ChildProcess): void {
  running.add(child);
  const ended = (): void => void running.delete(child);
  child.once("exit", ended).once("error", ended);
}
