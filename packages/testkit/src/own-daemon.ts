import { spawn } from "node:child_process";
import { mkdtempSync, mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as delay } from "node:timers/promises";
import { isListening } from "./listening-socket.ts";

const bundle = fileURLToPath(new URL("../../guestfsd/dist/bundle/guestfsd.cjs", import.meta.url));

/** A daemon of ours that listens on a unix socket and serves one client after another. */
export interface OwnDaemon extends AsyncDisposable {
  readonly socketPath: string;
  readonly pid: number;
  /** Folder that is the guest's `/`. */
  readonly sysroot: string;
  /** What it wrote to its standard error so far. */
  log(): string;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/**
 * Starts the bundled daemon (`npm run build` makes it) on a folder of its own.
 * @param options.parent - folder to make its folder in; default the system's temporary folder
 * @param options.args - further options of the daemon
 */
export async function startOwnDaemon(options: { parent?: string; args?: readonly string[] } = {}): Promise<OwnDaemon> {
  const folder = mkdtempSync(join(options.parent ?? tmpdir(), "own-guestfsd-"));
  const sysroot = join(folder, "sysroot");
  const socketPath = join(folder, "daemon.sock");
  mkdirSync(sysroot);
  const child = spawn(
    process.execPath,
    [bundle, "--listen", "--channel", socketPath, "--sysroot", sysroot, ...(options.args ?? [])],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const log: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => log.push(text));
  const exited = new Promise<void>((settle) => child.once("close", () => settle()));
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  for (let waited = 0; !isListening(socketPath); waited += 10) {
    if (child.exitCode !== null || waited > 20_000) {
      await stop();
      throw new Error(`guestfsd did not listen: ${log.join("").trim() || "no message"}`);
    }
    await delay(10);
  }
  return {
    socketPath,
    pid: child.pid as number,
    sysroot,
    log: () => log.join(""),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
