import type { OutputContext } from "./context.ts";
import { DaemonError } from "./daemon-error.ts";
import { run } from "./exec.ts";

/** What find(1) writes of each file. */
export const findFormats: { readonly path: string; readonly record: string } = {
  /** its path from the folder on */
  path: String.raw`%P\0`,
  /** a record of `extension_walk`: PROTOCOL.md, "The walk", says what stands in it */
  record: String.raw`%D %i %m %y %n %U %G %s %b %A@ %T@ %C@ %l\0%P\0`,
};

/** A folder of a machine that runs changes under the walk. */
const gone = /: (?:No such file or directory|Not a directory)$/;

/**
 * Sends something about everything below an open folder: find(1) writes it, and nothing looks at it here, as a program in C
 * takes a fraction of the time.
 * @param depth - how many levels down; 0 for all
 * @throws DaemonError with what find says; not for what went away meanwhile
 */
export function sendFound(context: OutputContext, folder: number, format: string, depth = 0): void {
  const levels = depth === 0 ? [] : ["-maxdepth", String(depth)];
  const argv = ["find", "-P", ".", "-ignore_readdir_race", "-mindepth", "1", ...levels, "-printf", format];
  const { status, stderr } = run(argv, {
    directory: folder,
    accept: "any",
    pulse: context.pulse,
    stdout: context.output,
  });
  if (status === 0) return;
  const complaints = stderr.split("\n").filter((line) => !gone.test(line));
  if (status !== 1 || stderr === "" || complaints.length > 0)
    throw new DaemonError(complaints.join("\n") || `find ended with status ${status}`);
}
