import { copyHelp, copyOptions } from "../machine/copy-options.ts";
import { machineHelp, readToolArguments } from "../machine/options.ts";
import { parseTarOptions } from "../machine/tar-options.ts";
import { withMachine } from "../machine/with-machine.ts";
import type { Tool } from "../tool.ts";
import { UsageError } from "../tool-error.ts";

export const tool: Tool = {
  name: "virt-tar-in",
  help: `virt-tar-in: unpack a tar archive into a machine, off or running

usage: virt-tar-in (-a IMAGE | [--live] -d NAME) TARBALL|- /DESTINATION [OPTION:VALUE ...]

- reads the archive from standard input. It is not compressed, but for compress:gzip (or xz, bzip2, lzop, zstd and so
on). xattrs:true, selinux:true and acls:true restore what they name; keepdirlink:true goes through symlinks to
folders.

${copyHelp}${machineHelp}`,
  async run(args) {
    const { machine, values, words } = readToolArguments(args, copyOptions("rw"));
    const [archive, destination, ...more] = words;
    if (archive === undefined || destination === undefined)
      throw new UsageError("it takes an archive of this host and a folder of the machine");
    const unpacking = parseTarOptions(more, "in");
    const open = { program: "virt-tar-in", readOnly: false, sync: !values.has("no-sync") };
    await withMachine(machine, open, async ({ g, path, signal }) => {
      await g.tarIn(archive === "-" ? process.stdin : archive, await path(destination), { ...unpacking, signal });
    });
  },
};
