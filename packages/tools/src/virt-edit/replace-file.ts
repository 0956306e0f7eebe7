import type { Guestfs } from "guestfs";

/** What replacing a file needs. */
export interface Replacement {
  readonly g: Guestfs;
  /** The file in the machine; of a symbolic link the file that it leads to is replaced. */
  readonly path: string;
  /** Path on this host of what is to be in it. */
  readonly content: string;
  /** What is appended to the name that the old file keeps; empty to keep none. */
  readonly backup: string;
  readonly signal: AbortSignal;
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

async function keep(g: Guestfs, path: string, kept: string): Promise<void> {
  try {
    await g.lnF(path, kept);
  } catch {
    // Not every file system has links.
    await g.cpA(path, kept);
  }
}

/**
 * Puts a new file in the place of an old one, at once: whatever happens, the name leads to the whole old file or to the
 * whole new one. Mode, owner, extended attributes (ACLs and SELinux labels are some) stay. Other hard links keep the old file.
 */
export async function replaceFile({ g, path, content, backup, signal }: Replacement): Promise<void> {
  const target = await g.realpath(path, { signal });
  const temporary = await g.mktemp(`${folderOf(target)}.virt-edit-XXXXXX`, { signal });
  try {
    await g.upload(content, temporary, { signal });
    await g.copyAttributes(target, temporary, { all: true });
    // Its content has to be on the disk before the name is.
    await g.sync();
    if (backup !== "") await keep(g, target, target + backup);
    await g.rename(temporary, target);
  } catch (error) {
    await g.rmF(temporary).catch(() => undefined);
    throw error;
  }
}
