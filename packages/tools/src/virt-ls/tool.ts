import type { WalkEntry } from "guestfs";
import { encodeText } from "guestfs/internal";
import { eachWord } from "../machine/each-word.ts";
import { withOldStyle } from "../machine/old-style.ts";
import { machineHelp, readToolArguments } from "../machine/options.ts";
import type { ToolArguments, ToolOption } from "../machine/options.ts";
import { withMachine } from "../machine/with-machine.ts";
import type { OpenMachine } from "../machine/with-machine.ts";
import type { Tool } from "../tool.ts";
import { UsageError } from "../tool-error.ts";
import { row, typeLetter } from "./row.ts";
import type { RowOptions } from "./row.ts";

const options: readonly ToolOption[] = [
  { name: "checksum", long: "checksum", argument: "optional" },
  { name: "checksum", long: "checksums", argument: "optional" },
  { name: "csv", long: "csv" },
  { name: "extra-stats", long: "extra-stats" },
  { name: "extra-stats", long: "extra-stat" },
  { name: "human", short: "h", long: "human-readable" },
  { name: "long", short: "l", long: "long" },
  { name: "recursive", short: "R", long: "recursive" },
  { name: "time", long: "time" },
  { name: "time", long: "times" },
  { name: "time-days", long: "time-days" },
  { name: "time-relative", long: "time-relative" },
  { name: "time-t", long: "time-t" },
  { name: "uids", long: "uid" },
  { name: "uids", long: "uids" },
];

const onlyForBoth = ["checksum", "csv", "extra-stats", "human", "time", "time-days", "time-relative", "time-t", "uids"];

function rowOptions({ values }: ToolArguments): RowOptions {
  const has = (name: string): boolean => values.has(name);
  const times = has("time-days")
    ? "days"
    : has("time-relative")
      ? "relative"
      : has("time-t")
        ? "seconds"
        : has("time")
          ? "date"
          : undefined;
  return {
    csv: has("csv"),
    human: has("human"),
    uids: has("uids"),
    ...(times === undefined ? {} : { times }),
    extra: has("extra-stats"),
    checksum: has("checksum"),
    now: Math.floor(Date.now() / 1000),
  };
}

/** Writes lines, whatever bytes their names are made of, and waits while nobody takes them. */
async function print(lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  const bytes = encodeText(lines.map((line) => `${line}\n`).join(""));
  if (!process.stdout.write(bytes)) await new Promise((resolve) => process.stdout.once("drain", resolve));
}

/** How many lines are written at a time. */
const linesAtOnce = 500;

/** A folder itself. */
async function topOf({ g, signal }: OpenMachine, folder: string): Promise<WalkEntry> {
  const path = folder.replace(/(?<=.)\/+$/, "");
  const stat = await g.lstatns(path, { signal });
  return { path, stat, target: typeLetter(stat) === "l" ? await g.readlink(path, { signal }) : "" };
}

async function listTree(machine: OpenMachine, folder: string, given: ToolArguments): Promise<void> {
  const { g, signal } = machine;
  const shown = rowOptions(given);
  const kind = given.values.get("checksum")?.at(-1);
  const lineOf = async (entry: WalkEntry): Promise<string> => {
    const summed = kind !== undefined && typeLetter(entry.stat) === "-";
    return row(entry, summed ? await g.checksum(kind === "" ? "md5" : kind, entry.path, { signal }) : "", shown);
  };
  await print([await lineOf(await topOf(machine, folder))]);
  let lines: string[] = [];
  for await (const entry of g.walk(folder, { signal })) {
    lines.push(await lineOf(entry));
    if (lines.length < linesAtOnce) continue;
    await print(lines);
    lines = [];
  }
  await print(lines);
}

async function list(machine: OpenMachine, folder: string, given: ToolArguments): Promise<void> {
  const { g, signal } = machine;
  const [long, recursive] = [given.values.has("long"), given.values.has("recursive")];
  if (long && recursive) await listTree(machine, folder, given);
  else if (long) process.stdout.write(encodeText(await g.ll(folder, { signal })));
  else await print(recursive ? await g.find(folder, { signal }) : await g.ls(folder, { signal }));
}

export const tool: Tool = {
  name: "virt-ls",
  help: `virt-ls: list the files of a machine, off or running

usage: virt-ls (-a IMAGE | [--live] -d NAME) [-l | -R | -lR ...] FOLDER ...

  -l, --long              as ls -la does
  -R, --recursive         every file below the folder, by its path from there
  -lR                     both: type, permissions, size, path of every file, and where links lead

with -lR:
      --checksum[=TYPE]   a checksum of each file: md5 (default), crc, sha1, sha224, sha256, sha384, sha512
      --csv               comma-separated values
      --extra-stats       device, inode, number of links, device of device files, blocks
  -h, --human-readable    sizes such as 1.2M
      --times             times of last access, change of content, change of attributes
      --time-t            the same, in seconds since 1970
      --time-relative     the same, in seconds before now
      --time-days         the same, in days before now
      --uids              numbers of owner and group

${machineHelp}`,
  async run(args) {
    const given = withOldStyle(readToolArguments(args, options), 1);
    const { machine, values, words } = given;
    if (words.length === 0) throw new UsageError("which folder is to be listed?");
    const lonely = onlyForBoth.find((name) => values.has(name));
    if (lonely !== undefined && !(values.has("long") && values.has("recursive")))
      throw new UsageError(`--${lonely === "human" ? "human-readable" : lonely} goes with -lR only`);
    if (values.has("csv") && values.has("human")) throw new UsageError("--human-readable and --csv exclude each other");
    return withMachine(machine, { program: "virt-ls", readOnly: true }, (open) =>
      eachWord(open, words, (path) => list(open, path, given)),
    );
  },
};
