import type { OutputContext } from "./context.ts";
import { DaemonError } from "./daemon-error.ts";
import { run } from "./exec.ts";

/** A record of `extension_walk`: PROTOCOL.md, "Our extensions", says what stands in it. */
const record = String.raw`%D %i %m %y %n %U %G %s %b %A@ %T@ %C@ %l\0%P\0`;

/** A folder of a machine that runs changes under the walk. */
const gone = /: (?:No such file or directory|Not a directory)$/;

/**
 * Sends a record for everything below an open folder: find(1) makes them, and nothing looks at them here, as a program in C
 * takes a fraction of the time.
 * @param depth - how many levels down; 0 for all
 * @throws DaemonError with what find says; not for what went away meanwhile
 */
export function sendFindRecords(context: OutputContext, folder: number, depth: number): void {
  const levels = depth === 0 ? [] : ["-maxdepth", String(depth)];
  const { status, stderr } = run(
    ["find", "-P", ".", "-ignore_readdir_race", "-mindepth", "1", ...levels, "-printf", record],
    {
      directory: folder,
      accept: "any",
      pulse: context.pulse,
      stdout: (data) => context.output.write(data),
    },
  );
  if (status === 0) return;
  const complaints = stderr.split("\n").filter((line) => !gone.test(line));
  if (status !== 1 || stderr === "" || complaints.length > 0)
    throw new DaemonError(complaints.join("\n") || `find ended with status ${status}`);
}
