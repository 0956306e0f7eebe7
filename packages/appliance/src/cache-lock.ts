import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { spawnOwned } from "@guestfs/qemu";
import { ApplianceError } from "./appliance-error.ts";

/** A lock that is held. */
export interface CacheLock {
  /** Gives the lock up. */
  release(): Promise<void>;
}

// flock(1) holds the lock for as long as its shell waits for our end of the pipe; however we end, the kernel closes the pipe and the
// lock is free.
const HOLD = "echo held; read -r _";

async function hold(
  path: string,
  options: readonly string[],
  signal: AbortSignal | undefined,
): Promise<CacheLock | { why: string }> {
  signal?.throwIfAborted();
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const holder = await spawnOwned("flock", ["--exclusive", ...options, path, "/bin/sh", "-c", HOLD], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const { stdin, stdout, stderr } = holder.child;
  stdin?.on("error", () => undefined);
  let words = "";
  stderr?.on("data", (bytes: Buffer) => {
    words += bytes.toString("utf8");
  });
  const onAbort = (): void => holder.kill();
  signal?.addEventListener("abort", onAbort);
  try {
    const held = await Promise.race([
      new Promise<boolean>((resolve) => stdout?.once("data", () => resolve(true))),
      holder.exited.then(() => false),
    ]);
    signal?.throwIfAborted();
    if (!held) return { why: words.trim() };
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
  return {
    async release() {
      stdin?.end();
      await holder.exited;
    },
  };
}

/**
 * Waits for an exclusive lock on a file (flock(2), by flock(1)); the kernel drops it when its holder ends, in whatever way. Works between
 * processes, and between two calls in one process.
 *
 * @param path the lock file, made when missing and never removed
 * @param onWait called once when someone else holds the lock
 * @throws ApplianceError of stage `build`, or the signal's reason
 */
export async function acquireCacheLock(path: string, onWait: () => void, signal?: AbortSignal): Promise<CacheLock> {
  const waiting = setTimeout(onWait, 300);
  try {
    const lock = await hold(path, [], signal);
    if ("why" in lock)
      throw new ApplianceError({ stage: "build", message: `${path} can't be locked`, evidence: lock.why });
    return lock;
  } finally {
    clearTimeout(waiting);
  }
}

/**
 * Takes the same lock when that needs no waiting.
 *
 * @returns `undefined` when someone else holds it, or it can't be had at all
 * @throws the signal's reason
 */
export async function tryCacheLock(path: string, signal?: AbortSignal): Promise<CacheLock | undefined> {
  const lock = await hold(path, ["--nonblock"], signal);
  return "why" in lock ? undefined : lock;
}
