import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { RemoteError } from "../errors.ts";
import { CommandLineError } from "./command-line-error.ts";
import type { CommandLineHandle } from "./handle.ts";
import { findSafeFolder, folderOf } from "./safe-folder.ts";

/** A file of a machine, of which there is a copy on this host. */
export interface FetchedFile {
  /** Its canonical path: of a symbolic link, the file that it leads to. */
  readonly target: string;
  /** SHA-256 of its content, in hexadecimal. */
  readonly digest: string;
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/**
 * Copies a file of the machine to this host, to be changed there.
 * @param local - path on this host of the copy
 */
export async function fetchFile(
  g: CommandLineHandle,
  path: string,
  local: string,
  signal?: AbortSignal,
): Promise<FetchedFile> {
  // Looked up once: who owns the link could let it lead elsewhere by the time that the file is put back.
  const target = await g.realpath(path).catch((error: unknown) => {
    // That there is no such file is better said by the call that wants it.
    if (error instanceof RemoteError) return path;
    throw error;
  });
  await g.download(target, local, { signal });
  return { target, digest: await digestOf(local) };
}

/** @throws CommandLineError when it is not the file that was fetched, as it was then */
async function requireSame(g: CommandLineHandle, copy: string, { target, digest }: FetchedFile): Promise<void> {
  if (((await g.lstatns(copy)).st_mode & 0o170000) !== 0o100000)
    throw new CommandLineError(`${target}: it is no longer a regular file: nothing was changed`);
  if ((await g.checksum("sha256", copy)) !== digest)
    throw new CommandLineError(`${target}: it has changed in the machine meanwhile: nothing was changed`);
}

/** Puts a file in the place of another one, at once; no call on the way follows a symlink at the end of `to`. */
async function moveOver(g: CommandLineHandle, from: string, to: string): Promise<void> {
  try {
    await g.rename(from, to);
  } catch (error) {
    if (!(error instanceof RemoteError) || error.errno !== "EXDEV") throw error;
    const near = `${folderOf(to)}.edit-${randomBytes(16).toString("hex")}`;
    try {
      await g.mv(from, near);
      await g.rename(near, to);
    } catch (failure) {
      await g.rmF(near).catch(() => undefined);
      throw failure;
    }
  }
}

/** Writes into the file itself, held by a link in a folder of root's: a user may let the file's own path lead elsewhere. */
async function writeThroughLink(g: CommandLineHandle, scratch: string, file: FetchedFile): Promise<void> {
  const { target } = file;
  const held = `${scratch}/held`;
  await g.ln(target, held).catch((error: unknown) => {
    if (!(error instanceof RemoteError)) throw error;
    throw new CommandLineError(
      `${target}: a user of the machine can move its folder, and it can't be held: ${error.message}`,
      {
        cause: error,
      },
    );
  });
  await requireSame(g, held, file);
  await g.cp(`${scratch}/new`, held);
  await g.copyAttributes(`${scratch}/old`, held, { all: true });
}

/** How a file is put back. */
export interface PutBackOptions {
  /** What is appended to the name under which the old file is kept; default: it is not. */
  readonly backup?: string;
  readonly signal?: AbortSignal;
}

/**
 * Puts a fetched file back when its copy was changed: a new file takes the old one's place at once. Mode, owner and
 * extended attributes (ACLs and SELinux labels are some) stay. Other hard links keep the old file. Where a user of a
 * machine that runs could let the path lead elsewhere, the old file itself is written to.
 * @param local - the copy on this host
 * @returns whether it was changed
 * @throws CommandLineError when the file has changed in the machine meanwhile, or can't be replaced safely
 */
export async function putFileBack(
  g: CommandLineHandle,
  file: FetchedFile,
  local: string,
  { backup = "", signal }: PutBackOptions = {},
): Promise<boolean> {
  const { target, digest } = file;
  if ((await digestOf(local)) === digest) return false;
  // Nobody else is at work in an appliance.
  const { path, firm } = g.getBackend().startsWith("unix:")
    ? await findSafeFolder(g, target)
    : { path: folderOf(target), firm: true };
  if (!firm && backup !== "")
    throw new CommandLineError(`${target}: a user of the machine can move its folder: no copy can be kept there`);
  const scratch = await g.mkdtemp(`${path.replace(/\/$/, "")}/.edit-XXXXXX`);
  try {
    const [old, changed] = [`${scratch}/old`, `${scratch}/new`];
    // Content and attributes have to be those of one file, or a user could get to read another one.
    await g.cpA(target, old);
    await requireSame(g, old, file);
    await g.upload(local, changed, { signal });
    await g.copyAttributes(old, changed, { all: true });
    // Its content has to be on the disk before the name is.
    await g.sync();
    if (!firm) await writeThroughLink(g, scratch, file);
    else {
      if (backup !== "") await moveOver(g, old, target + backup);
      await moveOver(g, changed, target);
    }
    return true;
  } finally {
    await g.rmRf(scratch).catch(() => undefined);
  }
}
