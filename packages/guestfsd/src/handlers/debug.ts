import { messageMax } from "@guestfs/protocol";
import { chmodSync, closeSync, constants, openSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import type { Context, HandlersOf, InputContext } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { run } from "../exec.ts";
import { textUntilNul } from "../guest-text.ts";
import { fsPath } from "../sysroot.ts";
import { checkMode } from "./file-attribute.ts";

type Subcommand = (args: readonly string[], context: Context) => string;

const tick = 100;

function outputOf(argv: readonly string[], context: Context): string {
  return textUntilNul(run(argv, { pulse: context.pulse, outputMax: messageMax }).stdout);
}

function numberOf(text: string | undefined, name: string): number {
  const value = Number(text);
  if (text === undefined || !Number.isSafeInteger(value) || value <= 0)
    throw new DaemonError(`${name}: a positive whole number is needed`);
  return value;
}

/** Counts time on the client's progress bar: seconds, and microseconds from one message to the next. */
function showProgress(args: readonly string[], context: Context): string {
  const total = numberOf(args[0], "seconds") * 10;
  const wait = args[1] === undefined ? tick : numberOf(args[1], "microseconds") / 1000;
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let done = 1; done <= total; done++) {
    Atomics.wait(cell, 0, 0, wait);
    context.progress(done, total);
  }
  return "ok";
}

function openDescriptors(): string {
  return readdirSync("/proc/self/fd")
    .map((fd) => {
      try {
        return `${fd}\t${readlinkSync(`/proc/self/fd/${fd}`)}\n`;
      } catch {
        return "";
      }
    })
    .join("");
}

function writeToLog(text: string): string {
  process.stderr.write(text);
  return "ok";
}

const subcommands: Readonly<Record<string, Subcommand>> = {
  help: () => `${Object.keys(subcommands).toSorted().join("\n")}\n`,
  core_pattern(args) {
    if (args[0] === undefined) throw new DaemonError("core_pattern: a pattern is needed");
    writeFileSync("/proc/sys/kernel/core_pattern", args[0]);
    return "ok";
  },
  env: () =>
    Object.entries(process.env)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  error(args) {
    throw new DaemonError(args.join(" "));
  },
  fds: openDescriptors,
  ldd: (args, context) => outputOf(["ldd", "-r", "--", ...args], context),
  ls: (args, context) => outputOf(["ls", "-a", "--", ...args], context),
  ll: (args, context) => outputOf(["ls", "-la", "--", ...args], context),
  print: (args) => writeToLog(`${args.join(" ")}\n`),
  progress: showProgress,
  segv(): never {
    process.kill(process.pid, "SIGSEGV");
    throw new DaemonError("the signal was not enough");
  },
  setenv(args) {
    const [name, value] = args;
    if (!name || value === undefined || name.includes("="))
      throw new DaemonError("setenv: a name and a value are needed");
    process.env[name] = value;
    return "ok";
  },
  sh: (args, context) => outputOf(["/bin/sh", "-c", args.join(" ")], context),
  spew(args) {
    const size = Math.min(numberOf(args[0], "size"), 64 * messageMax);
    return writeToLog(`${"x".repeat(size)}\n`);
  },
};

/** Writes the file that comes with a call to the daemon's own side. */
export function uploadOutside(context: InputContext, path: string, mode: number): void {
  checkMode(mode);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOCTTY;
  const fd = openSync(fsPath(path), flags, mode);
  try {
    context.input.copyTo(fd);
  } finally {
    closeSync(fd);
  }
  chmodSync(fsPath(path), mode);
}

/** Looks behind the scenes, for those who look for a fault. Nothing here is promised to stay. */
export const debug: HandlersOf<"debug"> = {
  debug({ subcmd, extraargs }, context) {
    const subcommand = Object.hasOwn(subcommands, subcmd) ? subcommands[subcmd] : undefined;
    if (!subcommand) throw new DaemonError(`${subcmd}: no such subcommand; debug help lists them`);
    return subcommand(extraargs, context);
  },
  debug_upload: ({ tmpname, mode }, context) => uploadOutside(context, tmpname, mode),
  internal_exit(_, context) {
    context.endAfterReply();
  },
};
