import { copyHelp, copyOptions } from "../machine/copy-options.ts";
import { machineHelp, readToolArguments } from "../machine/options.ts";
import { withMachine } from "../machine/with-machine.ts";
import type { Tool } from "../tool.ts";
import { UsageError } from "../tool-error.ts";

export const tool: Tool = {
  name: "virt-copy-out",
  help: `virt-copy-out: copy files and folders out of a machine, off or running

usage: virt-copy-out (-a IMAGE | [--live] -d NAME) /FILE|/FOLDER ... DESTINATION

Of a folder everything in it is copied as well. The destination is a folder of this host.

${copyHelp}${machineHelp}`,
  async run(args) {
    const { machine, values, words } = readToolArguments(args, copyOptions("ro"));
    const [sources, destination] = [words.slice(0, -1), words.at(-1)];
    if (destination === undefined || sources.length === 0)
      throw new UsageError("it takes files or folders of the machine, and then a folder of this host");
    const open = { program: "virt-copy-out", readOnly: true, sync: !values.has("no-sync") };
    await withMachine(machine, open, async ({ g, path, signal }) => {
      for (const source of sources) await g.copyOut(await path(source), destination, { signal });
    });
  },
};
