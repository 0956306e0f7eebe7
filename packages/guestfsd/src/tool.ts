import { DaemonError } from "./daemon-error.ts";
import { run } from "./exec.ts";
import type { RunOptions, RunResult } from "./exec.ts";

const messageMax = 4096;

/** Runs a program that complains on its output as well as on stderr: a failure is told with both. */
export function runTool(
  argv: readonly string[],
  options: RunOptions & { readonly accept?: readonly number[] } = {},
): RunResult {
  const result = run(argv, { ...options, accept: "any" });
  if ((options.accept ?? [0]).includes(result.status)) return result;
  const said = [result.stderr, result.stdout.toString("utf8").trim()].filter(Boolean).join("\n").slice(0, messageMax);
  throw new DaemonError(said || `${argv[0]} ended with status ${result.status}`);
}
