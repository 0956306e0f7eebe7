import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { accessSync, constants, mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isListening } from "./listening-socket.ts";
import { makeTemporaryFolder } from "./temporary-folder.ts";
import { socketFolder, stockDaemonRoot } from "./stock-daemon-root.ts";

const daemonProgram = "/usr/sbin/guestfsd";

/** A stock daemon that runs. */
export interface StockDaemon extends AsyncDisposable {
  /** Socket to connect to. The daemon takes one client and ends with it. */
  readonly socketPath: string;
  readonly pid: number;
  /** Its `/sysroot` as this process sees it: where the files of the guest are. */
  readonly sysroot: string;
  /** What it wrote to its standard error so far. */
  log(): string;
  /** Settles when it ended, with its exit status or the name of the signal. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** Ends it, waits for its end and removes the socket. Does nothing a second time. */
  stop(): Promise<void>;
}

function canRun(program: string): boolean {
  try {
    accessSync(program, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Why {@link startStockDaemon} can't work here, in words for a skipped test; `undefined` when it can. */
export function whyNoStockDaemon(): string | undefined {
  if (process.platform !== "linux") return "the stock daemon runs on Linux only";
  if (process.geteuid?.() !== 0) return "the stock daemon needs root for its mount namespace";
  if (!canRun(daemonProgram)) return `no ${daemonProgram} (Debian package guestfsd)`;
  for (const program of ["/usr/bin/unshare", "/usr/bin/setpriv"])
    if (!canRun(program)) return `no ${program} (Debian package util-linux)`;
  return undefined;
}

async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.kill("SIGTERM");
  const hard = setTimeout(() => child.kill("SIGKILL"), 2000);
  await exited;
  clearTimeout(hard);
}

/**
 * Starts the distribution's own guestfsd for one client, without a virtual machine: in a mount namespace of its
 * own, with a tmpfs at `/sysroot`. It ends when its client goes away, when {@link StockDaemon.stop} is called or
 * when this process ends.
 * @param options.verbose - makes it log each call (default false)
 * @throws Error with {@link whyNoStockDaemon}'s reason, or with what the daemon wrote when it ended at once
 */
export async function startStockDaemon(options: { verbose?: boolean } = {}): Promise<StockDaemon> {
  const reason = whyNoStockDaemon();
  if (reason !== undefined) throw new Error(reason);

  const folder = makeTemporaryFolder("stock-guestfsd-");
  const channel = join(folder.path, "channel");
  const root = join(folder.path, "root");
  mkdirSync(channel);
  mkdirSync(root);
  // Unique among all sockets of the host, since the daemon's own view of the path is not.
  const name = `${basename(folder.path)}.sock`;
  const inside = `${socketFolder}/${name}`;

  const daemon = [daemonProgram, ...(options.verbose ? ["--verbose"] : []), "--listen", "--channel", inside];
  const child = spawn(
    "/usr/bin/setpriv",
    ["--pdeathsig", "KILL", "unshare", "--mount", "--", "sh", "-c", stockDaemonRoot, "sh", root, channel, ...daemon],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const log: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => log.push(text));
  const exited = new Promise<number | NodeJS.Signals>((settle, fail) => {
    child.once("error", fail);
    child.once("close", (code, signal) => settle(code ?? signal ?? -1));
  });
  let ended = false;
  void exited.then(
    () => (ended = true),
    () => (ended = true),
  );

  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= end(child, exited).finally(() => folder.remove());
    return stopping;
  };

  for (let waited = 0; !isListening(inside); waited += 10) {
    if (ended || waited > 20_000) {
      await stop();
      throw new Error(`the stock daemon ${ended ? "ended" : "did not listen"}: ${log.join("").trim() || "no message"}`);
    }
    await delay(10);
  }
  const pid = child.pid as number;
  return {
    socketPath: join(channel, name),
    pid,
    sysroot: `/proc/${pid}/root/sysroot`,
    log: () => log.join(""),
    exited,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
