import { mkdirSync, renameSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { frozenNote, monotonicNow, openFolders, startOf, thawEach } from "./frozen-state.ts";
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
 * Input, by lines: {@link WatchOrders} as JSON, answered by `ready`; `try N` before the daemon freezes the N-th of the
 * folders, counted from 0, and `not N` when it could not; `frozen` when it has frozen all; `thaw`.
 * Before it ends it tells how many it has thawed: `thawed N`, or `expired N` when the limit had been reached.
 */
export function watchOverFreeze(): void {
  let orders: WatchOrders | undefined;
  let until = 0;
  let folders: readonly number[] = [];
  /** What it may thaw: nothing that another program has frozen. */
  const frozen = new Set<number>();
  let thawed = 0;
  let settled = false;
  let expired = false;
  const thaw = (): void => {
    thawed += thawEach([...frozen].map((at) => folders[at] as number));
  };
  const end = (): void => {
    thaw();
    if (orders) rmSync(frozenNote(orders.runFolder), { force: true });
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
  const takeNote = ({ runFolder }: WatchOrders, names: readonly string[]): void => {
    const name = frozenNote(runFolder);
    const note: FrozenNote = { watcher: process.pid, started: startOf(process.pid) ?? "", until, folders: names };
    mkdirSync(runFolder, { recursive: true, mode: 0o755 });
    // Others read it at any time.
    writeFileSync(`${name}.new`, JSON.stringify(note));
    renameSync(`${name}.new`, name);
  };
  const begin = (given: WatchOrders): void => {
    surviveWantOfMemory();
    folders = openFolders(given.folders);
    orders = given;
    until = monotonicNow() + given.seconds * 1000;
    takeNote(given, given.folders);
    setTimeout(expire, given.seconds * 1000);
    writeSync(1, "ready\n");
  };
  const settle = (given: WatchOrders): void => {
    settled = true;
    if (expired) end();
    takeNote(
      given,
      given.folders.filter((_, at) => frozen.has(at)),
    );
  };
  process.on("SIGTERM", end).on("SIGINT", end).on("SIGHUP", end);
  const lines = process.getBuiltinModule("node:readline").createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const [word, at] = line.split(" ");
    if (!orders) begin(JSON.parse(line) as WatchOrders);
    else if (word === "try") frozen.add(Number(at));
    else if (word === "not") frozen.delete(Number(at));
    else if (word === "frozen") settle(orders);
    else end();
  });
  lines.on("close", end);
}

/** The kernel ends other programs when memory runs out (proc_pid_oom_score_adj(5)); only root may ask for that. */
function surviveWantOfMemory(): void {
  try {
    writeFileSync("/proc/self/oom_score_adj", "-1000");
  } catch {
    // The daemon thaws without it as well.
  }
}
