import { realpathSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { getopt } from "guestfs/command-line";
import { mountedOn, unmountFuse } from "../fuse/mount.ts";
import { processOf, waitForFarewell } from "../guestmount/farewell.ts";
import type { ToolOption } from "../machine/options.ts";
import { runTool } from "../run-tool.ts";
import { ToolError, UsageError } from "../tool-error.ts";

const options: readonly ToolOption[] = [
  { name: "fd", long: "fd", argument: "required" },
  { name: "no-retry", long: "no-retry" },
  { name: "quiet", short: "q", long: "quiet" },
  { name: "retry", long: "retry", argument: "required" },
  { name: "verbose", short: "v", long: "verbose" },
];

/** Unmounts, again and again while the folder is in use, with pauses of 1, 2, 4, ... seconds. */
async function unmount(folder: string, retries: number, tell: (message: string) => void): Promise<void> {
  for (let tried = 0; ; tried++) {
    const obstacle = await unmountFuse(folder);
    if (obstacle === "") return;
    if (tried >= retries) throw new ToolError(`${folder} can't be unmounted: ${obstacle}`);
    tell(`${obstacle}; trying again`);
    await delay(1000 * 2 ** tried);
  }
}

await runTool({
  name: "guestunmount",
  help: `guestunmount: unmount a folder that guestmount has mounted

usage: guestunmount [-q] [--retry=N | --no-retry] FOLDER

It comes back when everything is on the machine's disks and they are closed.

      --retry=N     while the folder is in use, try again so often (default 5)
      --no-retry    give up at once when it is in use
  -q, --quiet       no messages while it tries
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
    const retry = values.get("retry") ?? "5";
    if (!/^\d{1,2}$/.test(retry)) throw new UsageError(`--retry=${retry}: no number`);
    let folder: string;
    try {
      folder = realpathSync(word);
    } catch (error) {
      throw new ToolError(`${word}: ${(error as Error).message}`, { cause: error });
    }
    const source = await mountedOn(folder);
    if (source === undefined) throw new ToolError(`${word}: nothing is mounted there`);
    const pid = processOf(source);
    const end = pid === undefined ? undefined : await waitForFarewell(pid).catch(() => undefined);
    const tell = (message: string): void => {
      if (!values.has("quiet")) process.stderr.write(`guestunmount: ${message}\n`);
    };
    await unmount(folder, values.has("no-retry") ? 0 : Number(retry), tell);
    const wrong = (await end?.()) ?? "";
    if (wrong !== "") throw new ToolError(wrong);
  },
});
