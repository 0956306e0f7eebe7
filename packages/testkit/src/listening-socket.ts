import { readFileSync } from "node:fs";

/**
 * Whether some process of this network namespace listens on a unix socket.
 * @param path - the path as the process gave it to bind(2), which differs from ours when its root does
 */
export function isListening(path: string): boolean {
  // Columns of /proc/net/unix: Num RefCount Protocol Flags Type St Inode Path; 00010000 is __SO_ACCEPTCON.
  return readFileSync("/proc/net/unix", "utf8")
    .split("\n")
    .some((line) => {
      const columns = line.trim().split(/\s+/);
      return columns[3] === "00010000" && columns[7] === path;
    });
}
