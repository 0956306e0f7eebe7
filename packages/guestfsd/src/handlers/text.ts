import { messageMax } from "@guestfs/protocol";
import { blocksOf, withContent } from "../content.ts";
import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { run } from "../exec.ts";
import { linesOf, textUntilNul } from "../guest-text.ts";
import { hexdump } from "../hexdump.ts";
import { describeBytes } from "../native/magic.ts";
import { isCharacterEncoding, printableStrings } from "../printable.ts";
import { allButLastLines, firstLines, lastLines, linesFrom } from "../text-lines.ts";

const defaultLines = 10;
const int32Max = 0x7fffffff;
const headMax = 1024 * 1024;

interface GrepOptions {
  readonly extended?: boolean | undefined;
  readonly fixed?: boolean | undefined;
  readonly insensitive?: boolean | undefined;
  readonly compressed?: boolean | undefined;
}

/** grep(1) and zgrep(1): nothing found is no failure. */
function grep(context: Context, pattern: string, path: string, options: GrepOptions): string[] {
  if (options.extended && options.fixed) throw new DaemonError("extended and fixed can't be given together");
  const kind = options.extended ? ["-E"] : options.fixed ? ["-F"] : [];
  const argv = [options.compressed ? "zgrep" : "grep", ...kind, ...(options.insensitive ? ["-i"] : []), "-e", pattern];
  return withContent(context, path, (stdin) => {
    const { status, stdout, stderr } = run(argv, { stdin, accept: "any", pulse: context.pulse, outputMax: messageMax });
    if (status > 1) throw new DaemonError(stderr || `${argv[0]} ended with status ${status}`);
    return linesOf(stdout);
  });
}

type Search = { readonly path: string } & ({ readonly regex: string } | { readonly pattern: string });

function grepper(options: GrepOptions) {
  return (args: Search, context: Context): string[] =>
    grep(context, "regex" in args ? args.regex : args.pattern, args.path, options);
}

function count(context: Context, path: string, of: (block: Buffer) => number): number {
  return withContent(context, path, (fd) => {
    let total = 0;
    for (const block of blocksOf(fd, context.pulse)) total += of(block);
    if (total > int32Max) throw new DaemonError(`${path}: ${total} is more than the result can hold`, "EOVERFLOW");
    return total;
  });
}

function lineEnds(block: Buffer): number {
  let lines = 0;
  for (let at = block.indexOf(0x0a); at >= 0; at = block.indexOf(0x0a, at + 1)) lines++;
  return lines;
}

/** Counts words block by block: what begins one is a printable character, what ends one is white space. */
function wordCounter(): (block: Buffer) => number {
  let inWord = false;
  return (block) => {
    let words = 0;
    for (const byte of block) {
      if (byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)) inWord = false;
      else if (!inWord && byte > 0x20 && byte < 0x7f) {
        inWord = true;
        words++;
      }
    }
    return words;
  };
}

function strings(context: Context, encoding: string, path: string): string[] {
  if (!isCharacterEncoding(encoding)) throw new DaemonError(`${encoding}: an encoding is one of s, S, b, l, B and L`);
  return withContent(context, path, (fd) => printableStrings(fd, encoding, context.pulse).map(textUntilNul));
}

class EnoughError extends Error {}

/** The first bytes of what a program unpacks. */
function unpackedHead(argv: readonly string[], stdin: number, pulse: () => void): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  const take = (data: Uint8Array): void => {
    parts.push(Buffer.from(data));
    length += data.length;
    if (length >= headMax) throw new EnoughError();
  };
  try {
    run(argv, { stdin, stdout: take, pulse, accept: "any" });
  } catch (error) {
    if (!(error instanceof EnoughError)) throw error;
  }
  return Buffer.concat(parts);
}

const unpackers: Readonly<Record<string, readonly string[]>> = {
  gzip: ["gzip", "-dc"],
  compress: ["gzip", "-dc"],
  bzip2: ["bzip2", "-dc"],
};

/** Text in files: found, counted, shown in part. */
export const text: HandlersOf<"text"> = {
  egrep: grepper({ extended: true }),
  egrepi: grepper({ extended: true, insensitive: true }),
  fgrep: grepper({ fixed: true }),
  fgrepi: grepper({ fixed: true, insensitive: true }),
  grep: ({ regex, path, ...options }, context) => grep(context, regex, path, options),
  grepi: grepper({ insensitive: true }),
  zegrep: grepper({ extended: true, compressed: true }),
  zegrepi: grepper({ extended: true, insensitive: true, compressed: true }),
  zfgrep: grepper({ fixed: true, compressed: true }),
  zfgrepi: grepper({ fixed: true, insensitive: true, compressed: true }),
  zgrep: grepper({ compressed: true }),
  zgrepi: grepper({ insensitive: true, compressed: true }),
  head: ({ path }, context) => withContent(context, path, (fd) => linesOf(firstLines(fd, defaultLines, context.pulse))),
  head_n: ({ nrlines, path }, context) =>
    withContent(context, path, (fd) =>
      linesOf((nrlines < 0 ? allButLastLines : firstLines)(fd, Math.abs(nrlines), context.pulse)),
    ),
  tail: ({ path }, context) => withContent(context, path, (fd) => linesOf(lastLines(fd, defaultLines, context.pulse))),
  tail_n: ({ nrlines, path }, context) =>
    withContent(context, path, (fd) =>
      linesOf((nrlines < 0 ? linesFrom : lastLines)(fd, Math.abs(nrlines), context.pulse)),
    ),
  hexdump: ({ path }, context) => withContent(context, path, (fd) => hexdump(fd, context.pulse).toString("latin1")),
  strings: ({ path }, context) => strings(context, "s", path),
  strings_e: ({ encoding, path }, context) => strings(context, encoding, path),
  wc_c: ({ path }, context) => count(context, path, (block) => block.length),
  wc_l: ({ path }, context) => count(context, path, lineEnds),
  wc_w: ({ path }, context) => count(context, path, wordCounter()),
  zfile({ meth, path }, context) {
    const argv = Object.hasOwn(unpackers, meth) ? unpackers[meth] : undefined;
    if (!argv) throw new DaemonError(`${meth}: a method is one of ${Object.keys(unpackers).join(", ")}`);
    return withContent(context, path, (fd) => describeBytes(unpackedHead(argv, fd, context.pulse)));
  },
};
