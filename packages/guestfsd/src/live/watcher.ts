import { closeSync, readSync, writeSync } from "node:fs";
import { DaemonError } from "../daemon-error.ts";
import { killGroup, pipe, spawnChild, waitForChild } from "../native/child.ts";
import { freezeFilesystem } from "../native/freeze.ts";
import { POLLIN, PollSet } from "../native/poll.ts";
import { errorText } from "../native/system-error.ts";
import { openFolders, thawEach } from "./frozen-state.ts";
import type { WatchOrders } from "./thaw-watcher.ts";

/** Argument that makes the daemon's program a watcher; see `watchOverFreeze`. */
export const watcherArgument = "--watch-over-freeze";
const startTimeout = 60_000;
const answerTimeout = 10_000;

/** How a freeze ended: told to, by the limit of time before that, or by the daemon because the watcher was no more. */
export type FreezeEnd = "thawed" | "expired" | "unwatched";

/** Freezes filesystems; and the process that thaws them, as the daemon has it. */
export class Watcher {
  readonly #orders: WatchOrders;
  readonly #folders: readonly number[];
  readonly #frozen = new Set<number>();
  readonly #pid: number;
  readonly #input: number;
  readonly #output: number;

  constructor(orders: WatchOrders) {
    this.#orders = orders;
    this.#folders = openFolders(orders.folders);
    const [childInput, input] = pipe();
    const [output, childOutput] = pipe();
    [this.#input, this.#output] = [input, output];
    try {
      this.#pid = spawnChild({
        argv: [process.execPath, ...process.execArgv, process.argv[1] ?? "", watcherArgument],
        environment: { PATH: process.env["PATH"] ?? "" },
        stdin: childInput,
        stdout: childOutput,
        stderr: 2,
      });
    } finally {
      closeSync(childInput);
      closeSync(childOutput);
    }
    this.#tell(JSON.stringify(orders));
    if (this.#hear(startTimeout) !== "ready") {
      this.#forget();
      throw new DaemonError("nothing was frozen: the process that would thaw it did not start");
    }
  }

  /** Freezes all that it was made for, but for kinds that can't be. @returns how many were frozen */
  freeze(): number {
    for (const at of this.#folders.keys()) this.#freeze(at);
    this.#tell("frozen");
    return this.#frozen.size;
  }

  #freeze(at: number): void {
    const fd = this.#folders[at] as number;
    // Told before, so that a daemon that is killed leaves nothing frozen, and taken back: another program may have frozen it.
    this.#tell(`try ${at}`);
    try {
      freezeFilesystem(fd);
      this.#frozen.add(fd);
    } catch (error) {
      this.#tell(`not ${at}`);
      const { code = "" } = error as NodeJS.ErrnoException;
      if (code === "EOPNOTSUPP" || code === "ENOTSUP" || code === "ENOTTY") return;
      const why = code === "EBUSY" ? "frozen already, by another program" : `can't be frozen: ${errorText(code)}`;
      throw new DaemonError(`${this.#orders.folders[at]}: ${why}`, code, { cause: error });
    }
  }

  /** Waits a moment. @param milliseconds - @returns whether the watcher has ended, or is about to */
  hasEnded(milliseconds: number): boolean {
    const poll = new PollSet(1);
    poll.add(this.#output, POLLIN);
    return poll.wait(milliseconds) > 0;
  }

  /** Has all thawed, and waits for that. @returns how many were still frozen, and how the freeze ended */
  finish(): { readonly thawed: number; readonly end: FreezeEnd } {
    this.#tell("thaw");
    const [end, count] = this.#hear(answerTimeout).split(" ");
    const answered = end === "thawed" || end === "expired";
    const thawed = answered ? Number(count) : thawEach(this.#frozen);
    this.#forget();
    return { thawed, end: answered ? end : "unwatched" };
  }

  #tell(line: string): void {
    try {
      writeSync(this.#input, `${line}\n`);
    } catch {
      // It has ended: the time limit was reached.
    }
  }

  #hear(timeout: number): string {
    const poll = new PollSet(1);
    poll.add(this.#output, POLLIN);
    const buffer = Buffer.alloc(256);
    let text = "";
    while (!text.includes("\n")) {
      if (poll.wait(timeout) === 0) break;
      const count = readSync(this.#output, buffer, 0, buffer.length, null);
      if (count === 0) break;
      text += buffer.toString("latin1", 0, count);
    }
    return text.split("\n")[0] ?? "";
  }

  #forget(): void {
    killGroup(this.#pid);
    for (const fd of [this.#input, this.#output, ...this.#folders]) closeSync(fd);
    waitForChild(this.#pid);
  }
}
