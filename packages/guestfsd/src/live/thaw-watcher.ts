import { closeSync, constants, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { thawFilesystem } from "../native/freeze.ts";
import { frozenNote, monotonicNow } from "./frozen-state.ts";
import type { FrozenNote } from "./frozen-state.ts";

/** What the daemon tells its watcher in the first line. */
export interface WatchOrders {
  readonly seconds: number;
  /** Where the filesystems are mounted, as the daemon sees them. */
  readonly folders: readonly string[];
  readonly runFolder: string;
}

const againAfter = 100;

/**
 * Sees to it that filesystems are thawed, whatever becomes of the daemon that freezes them: at the time limit, at the end
 * of its input, at a signal that asks it to end, or when it is told to.
 *
 * Input, by lines: {@link WatchOrders} as JSON, answered by `ready`; `frozen` when the daemon has frozen all; `thaw`.
 * Before it ends it tells how many it has thawed: `thawed N`, or `expired N` when the limit had been reached.
 */
export function watchOverFreeze(): void {
  const folders: number[] = [];
  let note = "";
  let thawed = 0;
  let settled = false;
  let expired = false;
  const thaw = (): void => {
    for (const fd of folders) {
      try {
        thawFilesystem(fd);
        thawed++;
      } catch {
        // It is not frozen, or not yet.
      }
    }
  };
  const end = (): void => {
    thaw();
    if (note !== "") rmSync(note, { force: true });
    try {
      writeSync(1, `${expired ? "expired" : "thawed"} ${thawed}\n`);
    } catch {
      // The daemon is no more.
    }
    process.exit(0);
  };
  // Until the daemon has frozen the last one, thawing once would leave what it freezes after that.
  const expire = (): void => {
    expired = true;
    if (settled) end();
    thaw();
    setTimeout(expire, againAfter);
  };
  const begin = (orders: WatchOrders): void => {
    for (const folder of orders.folders) folders.push(openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY));
    note = frozenNote(orders.runFolder);
    mkdirSync(dirname(note), { recursive: true, mode: 0o755 });
    const text: FrozenNote = { watcher: process.pid, until: monotonicNow() + orders.seconds * 1000 };
    writeFileSync(note, JSON.stringify(text));
    setTimeout(expire, orders.seconds * 1000);
    writeSync(1, "ready\n");
  };
  process.on("SIGTERM", end).on("SIGINT", end).on("SIGHUP", end);
  const lines = process.getBuiltinModule("node:readline").createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    if (line === "thaw") end();
    else if (line === "frozen") {
      settled = true;
      if (expired) end();
    } else begin(JSON.parse(line) as WatchOrders);
  });
  lines.on("close", end);
}

/** Thaws what nobody watches over any more. @returns how many were frozen */
export function thawLeftBehind(folders: readonly string[], runFolder: string): number {
  let thawed = 0;
  for (const folder of folders) {
    try {
      const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        thawFilesystem(fd);
        thawed++;
      } finally {
        closeSync(fd);
      }
    } catch {
      // It is not frozen.
    }
  }
  rmSync(frozenNote(runFolder), { force: true });
  return thawed;
}
