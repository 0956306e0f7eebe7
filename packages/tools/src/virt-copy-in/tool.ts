import { copyHelp, copyOptions } from "../machine/copy-options.ts";
import { machineHelp, readToolArguments } from "../machine/options.ts";
import { withMachine } from "../machine/with-machine.ts";
import type { Tool } from "../tool.ts";
import { UsageError } from "../tool-error.ts";

export const tool: Tool = {
  name: "virt-copy-in",
  help: `virt-copy-in: copy files and folders into a machine, off or running

usage: virt-copy-in (-a IMAGE | [--live] -d NAME) FILE|FOLDER ... /DESTINATION

Of a folder everything in it is copied as well. The destination is a folder of the machine.

${copyHelp}${machineHelp}`,
  async run(args) {
    const { machine, values, words } = readToolArguments(args, copyOptions("rw"));
    const [sources, destination] = [words.slice(0, -1), words.at(-1)];
    if (destination === undefined || sources.length === 0)
      throw new UsageError("it takes files or folders of this host, and then a folder of the machine");
    const open = { program: "virt-copy-in", readOnly: false, sync: !values.has("no-sync") };
    await withMachine(machine, open, async ({ g, path, signal }) => {
      const target = await path(destination);
      for (const source of sources) await g.copyIn(source, target, { signal });
    });
  },
};
