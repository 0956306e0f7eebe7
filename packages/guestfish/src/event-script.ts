import { spawnSync } from "node:child_process";
import type { Console } from "./console.ts";

/**
 * Runs the script of an event handler under `$SHELL`, with the event's name in `$EVENT`. Waits for it, so that what
 * it prints stays in order with the command that caused the event.
 */
export function runEventScript(console: Console, script: string, event: string, parameters: readonly string[]): void {
  const shell = process.env["SHELL"] ?? "/bin/sh";
  const env = { ...process.env, EVENT: event };
  const { stdout, stderr } = spawnSync(shell, ["-c", script, "guestfish", ...parameters], {
    stdio: console.inherited ? "inherit" : ["ignore", "pipe", "pipe"],
    env,
  });
  if (console.inherited) return;
  // Whoever is not there any more misses it.
  void console.output.write(stdout).catch(() => undefined);
  console.writeError(stderr.toString("utf8"));
}
