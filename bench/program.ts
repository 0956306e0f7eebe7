import { GuestfsPool } from "guestfs";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";

// With it Node reads and checks certificates for 0.1 s whenever it starts, which has nothing to do with us and would be in our times.
delete process.env["NODE_EXTRA_CA_CERTS"];

/** The environment in which the stock programs emulate. */
export const stockEnvironment: NodeJS.ProcessEnv = {
  ...process.env,
  LIBGUESTFS_BACKEND: "direct",
  LIBGUESTFS_BACKEND_SETTINGS: "force_tcg",
};

/** A program of the stock libguestfs; `npm run` puts ours of the same name before it on PATH. */
export function stockProgram(name: string): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => !folder.includes("node_modules"))
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}

/** A program of ours, as it is installed. */
export function ownProgram(packageName: string, name: string): string {
  const folder = dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`));
  return join(folder, "bin", `${name}.js`);
}

/** Emulates in this process too, and has all made that launches only make once. */
export async function emulateWarm(): Promise<void> {
  process.env["LIBGUESTFS_BACKEND_SETTINGS"] = "force_tcg";
  await using pool = new GuestfsPool({ size: 1 });
  await pool.ready();
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** How long something takes. */
export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

/**
 * The medians of two things that are done in turns, so that a machine that is slower for a while slows both: in each round `first` once
 * and `second` twice.
 */
export async function inTurns(
  rounds: number,
  first: () => Promise<unknown>,
  second: () => Promise<unknown>,
): Promise<[first: number, second: number]> {
  const [ofFirst, ofSecond]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    ofFirst.push(await secondsOf(first));
    for (const _ of [0, 1]) ofSecond.push(await secondsOf(second));
  }
  return [median(ofFirst), median(ofSecond)];
}

/** Runs a program to its end. @returns its standard output */
export async function program(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  const output: Buffer[] = [];
  child.stdout.on("data", (bytes: Buffer) => output.push(bytes));
  const status = await new Promise((resolve) => child.once("close", resolve));
  if (status !== 0) throw new Error(`${command} ended with ${String(status)}`);
  return Buffer.concat(output).toString("latin1");
}
