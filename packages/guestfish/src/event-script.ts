import { spawnSync } from "node:child_process";

/**
 * Runs the script of an event handler under `$SHELL`, with the event's name in `$EVENT`. Waits for it, so that what
 * it prints stays in order with the command that caused the event.
 */
export function runEventScript(script: string, event: string, parameters: readonly string[]): void {
  const shell = process.env["SHELL"] ?? "/bin/sh";
  const env = { ...process.env, EVENT: event };
  spawnSync(shell, ["-c", script, "guestfish", ...parameters], { stdio: "inherit", env });
}
