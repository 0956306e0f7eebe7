import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** Our daemon, serving a folder as if it were a running machine's root. */
export interface RunningMachine extends AsyncDisposable {
  /** path of the unix socket that a library attaches to */
  readonly socket: string;
  /** the folder that the daemon's clients see as `/` */
  readonly root: string;
}

/** Lays out a small root in `folder` and starts the daemon on it. */
export async function runningMachine(folder: string): Promise<RunningMachine> {
  const root = join(folder, "root");
  const socket = join(folder, "channel.sock");
  await mkdir(join(root, "etc"), { recursive: true });
  await mkdir(join(root, "srv"));
  await writeFile(join(root, "etc/hostname"), "live.example\n");

  const program = fileURLToPath(new URL("../packages/guestfsd/bin/guestfsd.js", import.meta.url));
  const daemon = spawn(process.execPath, [program, "--listen", "--channel", socket, "--sysroot", root], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const ended = once(daemon, "exit");
  while (!existsSync(socket)) {
    if (daemon.exitCode !== null) throw new Error(`guestfsd ended with ${daemon.exitCode} before it listened`);
    await setTimeout(20);
  }
  return {
    socket,
    root,
    async [Symbol.asyncDispose]() {
      daemon.kill();
      await ended;
    },
  };
}
