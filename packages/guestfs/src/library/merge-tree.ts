import { execFile } from "node:child_process";
import { promisify } from "node:util";

const runProgram = promisify(execFile);

async function run(program: string, args: readonly string[]): Promise<void> {
  await runProgram(program, args, { env: { ...process.env, LC_ALL: "C" }, maxBuffer: 64 * 1024 * 1024 });
}

/**
 * Puts what is in one folder into another one, of which it may be a part, as unpacking it there would: what is in the
 * way is replaced, and no symlink that lies there is followed.
 * @throws Error with what cp(1) said, when a folder and something else are in each other's way
 */
export async function mergeTree(from: string, into: string): Promise<void> {
  const merge = (copying: string): Promise<void> =>
    run("cp", [copying, "--remove-destination", "-T", "--", from, into]);
  // Links take no time and also serve files that their owner may not read; not every file system has them.
  await merge("-al").catch(() => merge("-a"));
}

/** Makes the folders of a tree such that their owner can remove what is in them. */
export async function makeRemovable(tree: string): Promise<void> {
  await run("find", [tree, "-type", "d", "!", "-perm", "-700", "-exec", "chmod", "u+rwx", "{}", ";"]);
}
