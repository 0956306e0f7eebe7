import { applianceOptions, buildAppliance, Settings, startWaitingAppliance } from "guestfs/internal";
import { parseCommandLine } from "../command-line.ts";
import type { Tool } from "../tool.ts";
import { ToolError, UsageError } from "../tool-error.ts";

export const tool: Tool = {
  name: "guestfs-appliance",
  help: `guestfs-appliance: makes ahead what launches need

usage: guestfs-appliance build [-v] [--memsize MB] [--smp N]

  build          builds the appliance and saves its template; done already, it takes a second
  --memsize MB   memory of the machine that is saved (default 1280): launches with another one make their own
  --smp N        number of its processors (default 1)
  -v, --verbose  tell each step

The folder is LIBGUESTFS_CACHEDIR, or guestfs in XDG_CACHE_HOME or ~/.cache.
`,
  async run(args) {
    const { values, positionals } = parseCommandLine(args, {
      memsize: { type: "string" },
      smp: { type: "string" },
      verbose: { type: "boolean", short: "v" },
    });
    if (positionals.length !== 1 || positionals[0] !== "build") throw new UsageError("what to do must be: build");
    const settings = new Settings(process.env);
    settings.readEnvironment("guestfs-appliance", process.env);
    if (values.memsize !== undefined) settings.setMemsize(Number(values.memsize));
    if (values.smp !== undefined) settings.setSmp(Number(values.smp));
    const said: string[] = [];
    const onDebug = (line: string): void => {
      said.push(line);
      if (values.verbose === true) process.stderr.write(`${line}\n`);
    };
    const options = { ...applianceOptions(settings), onDebug };
    const { kernelVersion } = await buildAppliance(options);
    process.stdout.write(`the appliance with Linux ${kernelVersion} is in ${settings.cachedir}\n`);
    const waiting = await startWaitingAppliance(options);
    if (waiting === undefined)
      throw new ToolError(`there is no template, so launches will boot: ${said.at(-1) ?? "nothing was said about it"}`);
    await waiting.stop();
    process.stdout.write(`its template is saved and can be restored\n`);
  },
};
