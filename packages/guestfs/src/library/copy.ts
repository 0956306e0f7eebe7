import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { CallContext } from "../call-context.ts";
import { GuestfsError } from "../errors.ts";
import { makeSink } from "../transfer/file-sink.ts";
import { openSource } from "../transfer/file-source.ts";
import type { LibraryFunctions } from "./library.ts";
import { makeRemovable, mergeTree } from "./merge-tree.ts";

interface Tar {
  readonly process: ChildProcess;
  /** Settles with what went wrong, `""` when nothing did. */
  readonly ended: Promise<string>;
}

function tar(args: readonly string[], pipe: "stdin" | "stdout"): Tar {
  const child = spawn("tar", args, {
    stdio: [pipe === "stdin" ? "pipe" : "ignore", pipe === "stdout" ? "pipe" : "ignore", "pipe"],
  });
  let said = "";
  child.stderr?.on("data", (bytes: Buffer) => {
    said = (said + bytes.toString()).slice(-4096);
  });
  const ended = new Promise<string>((done) => {
    child.once("error", (error) => done(`tar can't be run here: ${error.message}`));
    child.once("close", (code, signal) =>
      done(code === 0 ? "" : `tar failed on this machine (${signal ?? `exit status ${code}`}): ${said.trim()}`),
    );
  });
  // Its end says the same with more words.
  child.stdin?.on("error", () => undefined);
  return { process: child, ended };
}

function local(context: CallContext, message: string, cause?: unknown): GuestfsError {
  return new GuestfsError("LOCAL", message, { procedure: context.procedure, cause });
}

async function copyIn(context: CallContext, localpath: string, remotedir: string): Promise<void> {
  await stat(localpath).catch((error: unknown) => {
    throw local(context, `${localpath}: ${(error as Error).message}`, error);
  });
  if (!(await context.call("is_dir", { path: remotedir })))
    throw local(context, `${remotedir}: is no directory of the guest`);
  // `.` and `..` stay what they are: then it is what the folder has that is copied, without its name.
  const name = basename(localpath);
  const packer = tar(["-cf", "-", "-C", dirname(localpath), "--", name], "stdout");
  try {
    await context.call(
      "tar_in",
      { directory: remotedir },
      { source: await openSource(packer.process.stdout as NonNullable<ChildProcess["stdout"]>) },
    );
  } catch (error) {
    packer.process.kill();
    throw error;
  }
  const wrong = await packer.ended;
  if (wrong !== "") throw local(context, wrong);
}

/** @param folder - an empty one: through a symlink that lies there, the guest could write elsewhere on this machine */
async function unpack(context: CallContext, remotepath: string, folder: string): Promise<void> {
  const unpacker = tar(["-xf", "-", "-C", folder], "stdin");
  try {
    await context.call(
      "tar_out",
      { directory: remotepath },
      { sink: makeSink(unpacker.process.stdin as NonNullable<ChildProcess["stdin"]>) },
    );
  } catch (error) {
    unpacker.process.kill();
    const wrong = await unpacker.ended;
    throw wrong !== "" && error instanceof GuestfsError && error.code === "LOCAL"
      ? local(context, wrong, error)
      : error;
  }
  const wrong = await unpacker.ended;
  if (wrong !== "") throw local(context, wrong);
}

async function copyOut(context: CallContext, remotepath: string, localdir: string): Promise<void> {
  const folder = await stat(localdir).catch(() => undefined);
  if (folder?.isDirectory() !== true) throw local(context, `${localdir}: is no directory of this machine`);
  const name = basename(remotepath);
  if (name === "..") throw local(context, `${remotepath}: ends in .., which would lead out of ${localdir}`);
  const target = join(localdir, name);
  if (!(await context.call("is_dir", { path: remotepath }))) {
    if (!(await context.call("is_file", { path: remotepath })))
      throw local(context, `${remotepath}: is no folder and no regular file of the guest`);
    await context.call("download", { remotefilename: remotepath }, { sink: makeSink(target) });
    return;
  }
  await mkdir(target, { recursive: true });
  if ((await readdir(target)).length === 0) return unpack(context, remotepath, target);
  const scratch = await mkdtemp(join(target, ".copy-out-"));
  const tree = join(scratch, "tree");
  try {
    await mkdir(tree);
    await unpack(context, remotepath, tree);
    await mergeTree(tree, target).catch((error: unknown) => {
      throw local(context, (error as Error).message, error);
    });
  } finally {
    await makeRemovable(scratch).catch(() => undefined);
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Whole trees between this machine and the guest, with the host's tar(1). */
export const copyFunctions: LibraryFunctions<"copyIn" | "copyOut"> = { copyIn, copyOut };
