import { readFile } from "node:fs/promises";

/** Who uses a unix socket of this host. */
export interface SocketUse {
  /** Connections that its owner has taken. */
  readonly taken: number;
  /** Connections that wait for that. */
  readonly waiting: number;
}

/** State `SS_CONNECTED` of a row in /proc/net/unix, and `SS_CONNECTING`. */
const [connected, connecting] = ["03", "02"];

/**
 * Counts the connections to a socket (proc(5), /proc/net/unix).
 * @returns `undefined` when nobody listens there as far as this process's network namespace shows
 */
export async function socketUse(path: string): Promise<SocketUse | undefined> {
  const table = await readFile("/proc/net/unix", "latin1").catch(() => "");
  const wanted = Buffer.from(path).toString("latin1");
  let listens = false;
  let [taken, waiting] = [0, 0];
  for (const line of table.split("\n")) {
    if (!line.endsWith(wanted)) continue;
    // Num: RefCount Protocol Flags Type St Inode Path
    const match = /^\S+ \S+ \S+ (\S+) \S+ (\S+) +\d+ (.*)$/.exec(line);
    if (match?.[3] !== wanted) continue;
    if (match[2] === connected) taken++;
    else if (match[2] === connecting) waiting++;
    else listens = true;
  }
  return listens || taken > 0 ? { taken, waiting } : undefined;
}
