import { spawn } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { constants } from "node:os";

/** Set for the process that stays: the descriptor on which it says that it is ready. */
const readyVariable = "GUESTMOUNT_READY_FD";

/** Whether this process is the one that stays. */
export function isBackground(): boolean {
  return process.env[readyVariable] !== undefined;
}

/**
 * Starts this program once more, to stay, and waits until the folder is mounted.
 * @returns exit status for this process
 */
export function startBackground(): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    // Its standard input is ours, from which it may read passphrases.
    stdio: ["inherit", "inherit", "inherit", "pipe"],
    env: { ...process.env, [readyVariable]: "3" },
  });
  return new Promise((resolve, reject) => {
    child.stdio[3]?.once("data", () => resolve(0));
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]));
  });
}

/** Tells the process that waits, and lets go of what its terminal or pipes are. */
export function detach(): void {
  const ready = Number(process.env[readyVariable]);
  writeSync(ready, "\n");
  closeSync(ready);
  const nowhere = ["r", "w", "w"];
  nowhere.forEach((flags, fd) => {
    closeSync(fd);
    // The lowest number that is free, which is this one.
    openSync("/dev/null", flags);
  });
}
