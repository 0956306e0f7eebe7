import { createRequire } from "node:module";
import { CommandLineError, GivenUp, printableLines } from "guestfs/command-line";
import type { Tool } from "./tool.ts";
import { ToolError, UsageError } from "./tool-error.ts";

function version(): string {
  // By name, so that it is found from the source and from the compiled program.
  const manifest: unknown = createRequire(import.meta.url)("guestfs-tools/package.json");
  return (manifest as { version: string }).version;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isExpected = error instanceof ToolError || error instanceof CommandLineError || "code" in error;
  return isExpected || process.env.LIBGUESTFS_DEBUG === "1" ? error.message : (error.stack ?? error.message);
}

/**
 * Runs a program of this package with the command line of the process, and ends the process. `--help` and `--version`
 * are answered wherever they stand before `--`.
 */
export async function runTool(tool: Tool): Promise<never> {
  const args = process.argv.slice(2);
  const words = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
  if (words.includes("--help")) {
    process.stdout.write(tool.help);
    process.exit(0);
  }
  if (words.includes("--version") || words.includes("-V")) {
    process.stdout.write(`${tool.name} ${version()}\n`);
    process.exit(0);
  }
  try {
    process.exit((await tool.run(args)) ?? 0);
  } catch (error) {
    if (error instanceof GivenUp) process.exit(1);
    process.stderr.write(`${tool.name}: ${printableLines(describe(error))}\n`);
    if (error instanceof UsageError) process.stderr.write(`Try "${tool.name} --help".\n`);
    process.exit(1);
  }
}
