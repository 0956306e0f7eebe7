import { rmSync } from "node:fs";
import { rm } from "node:fs/promises";

const open = new Set<string>();

process.on("exit", () => {
  for (const path of open) rmSync(path, { recursive: true, force: true });
});

/** A private folder of a handle, made on first use. Removed at the latest when the process exits, or, if it is killed, by the next one. */
export class TemporaryFolder {
  readonly #parent: () => string;
  #path: string | undefined;

  /** @param parent - asked on first use */
  constructor(parent: () => string) {
    this.#parent = parent;
  }

  /** The folder's path; its mode is 0700. */
  async path(): Promise<string> {
    if (this.#path === undefined) {
      // Only here: most programs never need one, nor the package.
      const { makeTemporaryFolder } = await import("@guestfs/appliance/internal");
      this.#path = await makeTemporaryFolder(this.#parent());
    }
    open.add(this.#path);
    return this.#path;
  }

  /** Hands the folder over, to be removed later; the next use makes a new one. */
  take(): TemporaryFolder {
    const taken = new TemporaryFolder(this.#parent);
    taken.#path = this.#path;
    this.#path = undefined;
    return taken;
  }

  async remove(): Promise<void> {
    const path = this.#path;
    if (path === undefined) return;
    this.#path = undefined;
    await rm(path, { recursive: true, force: true });
    open.delete(path);
  }
}
