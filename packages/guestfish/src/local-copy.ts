import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs `work` with a path for a private copy of a file of the guest, and removes the copy afterwards. */
export async function withLocalCopy<Value>(remote: string, work: (local: string) => Promise<Value>): Promise<Value> {
  const folder = await mkdtemp(join(process.env["LIBGUESTFS_TMPDIR"] ?? tmpdir(), "guestfish-"));
  try {
    // Programs tell from the name what is in a file.
    const name = remote.slice(remote.lastIndexOf("/") + 1).replaceAll(/[^\w.+-]/g, "_");
    return await work(join(folder, name === "" || /^[.-]/.test(name) ? `file${name}` : name));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
