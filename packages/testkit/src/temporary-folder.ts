import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that does not outlive this process. */
export interface TemporaryFolder {
  readonly path: string;
  /** Removes it with all that is in it. Does nothing a second time. */
  remove(): void;
}

/** Makes an empty folder, which is removed when this process ends, with an uncaught error too. */
export function makeTemporaryFolder(prefix: string): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), prefix));
  const remove = (): void => {
    process.off("exit", remove);
    rmSync(path, { recursive: true, force: true });
  };
  process.on("exit", remove);
  return { path, remove };
}
