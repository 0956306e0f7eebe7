import { createReadStream, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { finished } from "node:stream/promises";
import { getopt } from "guestfs/command-line";
import { mountedOn, unmountFolder } from "guestfs/internal";
import { processOf, waitForFarewell } from "../guestmount/farewell.ts";
import type { ToolOption } from "../machine/options.ts";
import type { Tool } from "../tool.ts";
import { ToolError, UsageError } from "../tool-error.ts";

const options: readonly ToolOption[] = [
  { name: "fd", long: "fd", argument: "required" },
  { name: "no-retry", long: "no-retry" },
  { name: "quiet", short: "q", long: "quiet" },
  { name: "retry", long: "retry", argument: "required" },
  { name: "verbose", short: "v", long: "verbose" },
];

/** Path without links; of a folder whose program has ended, nothing can be asked. */
function pathOf(word: string): string {
  try {
    return realpathSync(word);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTCONN") return join(realpathSync(dirname(word)), basename(word));
    throw new ToolError(`${word}: ${(error as Error).message}`, { cause: error });
  }
}

// Exit statuses (guestunmount(1)).
const notUnmounted = 2;
const notMounted = 3;

export const tool: Tool = {
  name: "guestunmount",
  help: `guestunmount: unmount a folder that guestmount has mounted

usage: guestunmount [-q] [--retry=N | --no-retry] FOLDER

It comes back when everything is on the machine's disks and they are closed. Exit status: 1 when the command line is
wrong or something could not be written, 2 when the folder can't be unmounted, 3 when nothing is mounted there.

      --fd=NUMBER   first wait for the end of this pipe, whose other end a program holds as long as it runs
      --retry=N     while the folder is in use, try again so often (default 5)
      --no-retry    give up at once when it is in use
  -q, --quiet       no messages
      --help, --version
`,
  async run(args) {
    const words: string[] = [];
    const values = new Map<string, string>();
    for (const found of getopt(options, args)) {
      if (found.kind === "fault") throw new UsageError(found.message);
      if (found.kind === "word") words.push(found.word);
      else values.set(found.spec.name, found.value ?? "");
    }
    const [word, ...more] = words;
    if (word === undefined || more.length > 0) throw new UsageError("it takes one folder");
    const fd = values.get("fd");
    if (fd !== undefined && !/^\d{1,9}$/.test(fd)) throw new UsageError(`--fd=${fd}: no number of a descriptor`);
    const retry = values.get("retry") ?? "5";
    if (!/^\d{1,2}$/.test(retry)) throw new UsageError(`--retry=${retry}: no number`);
    const tell = (message: string): void => {
      if (!values.has("quiet")) process.stderr.write(`guestunmount: ${message}\n`);
    };
    let folder: string;
    try {
      folder = pathOf(word);
    } catch (error) {
      tell((error as Error).message);
      return notUnmounted;
    }
    const mounted = await mountedOn(folder);
    if (mounted === undefined) {
      tell(`${word}: nothing is mounted there`);
      return notMounted;
    }
    if (fd !== undefined) await finished(createReadStream("", { fd: Number(fd) }).resume());
    const pid = processOf(mounted.source);
    const end =
      pid === undefined
        ? undefined
        : await waitForFarewell(pid).catch((error: unknown) => {
            // Killed: there is nothing to wait for.
            if ((error as NodeJS.ErrnoException).code === "ECONNREFUSED") return;
            tell(`how guestmount ends can't be told: ${(error as Error).message}`);
          });
    try {
      await unmountFolder(folder, values.has("no-retry") ? 0 : Number(retry), (obstacle) =>
        tell(`${obstacle}; trying again`),
      );
    } catch (error) {
      tell((error as Error).message);
      return notUnmounted;
    }
    const wrong = (await end?.()) ?? "";
    if (wrong !== "") tell(wrong);
    return wrong === "" ? 0 : 1;
  },
};
