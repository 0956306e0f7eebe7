import { machineHelp, readToolArguments } from "../machine/options.ts";
import { withMachine } from "../machine/with-machine.ts";
import type { Tool } from "../tool.ts";
import { UsageError } from "../tool-error.ts";

export const tool: Tool = {
  name: "virt-tar-in",
  help: `virt-tar-in: unpack a tar archive into a machine, off or running

usage: virt-tar-in (-a IMAGE | [--live] -d NAME) TARBALL|- /DESTINATION

The archive is not compressed; - reads it from standard input.

${machineHelp}`,
  async run(args) {
    const { machine, words } = readToolArguments(args, []);
    const [archive, destination] = words;
    if (archive === undefined || destination === undefined || words.length !== 2)
      throw new UsageError("it takes an archive of this host and a folder of the machine");
    await withMachine(machine, { program: "virt-tar-in", readOnly: false }, async ({ g, path, signal }) => {
      await g.tarIn(archive === "-" ? process.stdin : archive, await path(destination), { signal });
    });
  },
};
