import { machineHelp, readToolArguments } from "../machine/options.ts";
import { withMachine } from "../machine/with-machine.ts";
import type { Tool } from "../tool.ts";
import { UsageError } from "../tool-error.ts";

export const tool: Tool = {
  name: "virt-tar-out",
  help: `virt-tar-out: pack a folder of a machine, off or running, into a tar archive

usage: virt-tar-out (-a IMAGE | [--live] -d NAME) /FOLDER TARBALL|-

The archive is not compressed; - writes it to standard output.

${machineHelp}`,
  async run(args) {
    const { machine, words } = readToolArguments(args, []);
    const [folder, archive] = words;
    if (folder === undefined || archive === undefined || words.length !== 2)
      throw new UsageError("it takes a folder of the machine and an archive of this host");
    await withMachine(machine, { program: "virt-tar-out", readOnly: true }, async ({ g, path, signal }) => {
      await g.tarOut(await path(folder), archive === "-" ? process.stdout : archive, { signal });
    });
  },
};
