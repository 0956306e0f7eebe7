import { closeSync } from "node:fs";
import { mountDetached } from "./native/detached-mount.ts";

/**
 * Mounts a filesystem, hands on where, unmounts it. Nobody else sees it, and no folder is needed.
 * @param options - as for {@link mountDetached}
 */
export function withTemporaryMount<T>(
  type: string,
  options: Readonly<Record<string, string | true>>,
  use: (folder: string, fd: number) => T,
): T {
  const fd = mountDetached(type, options);
  try {
    // Not `/proc/self`: programs that the daemon runs come here as well.
    return use(`/proc/${process.pid}/fd/${fd}`, fd);
  } finally {
    closeSync(fd);
  }
}
