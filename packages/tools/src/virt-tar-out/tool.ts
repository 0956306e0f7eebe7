import { copyHelp, copyOptions } from "../machine/copy-options.ts";
import { machineHelp, readToolArguments } from "../machine/options.ts";
import { parseTarOptions } from "../machine/tar-options.ts";
import { withMachine } from "../machine/with-machine.ts";
import type { Tool } from "../tool.ts";
import { UsageError } from "../tool-error.ts";

export const tool: Tool = {
  name: "virt-tar-out",
  help: `virt-tar-out: pack a folder of a machine, off or running, into a tar archive

usage: virt-tar-out (-a IMAGE | [--live] -d NAME) /FOLDER TARBALL|- [OPTION:VALUE ...]

- writes the archive to standard output. It is not compressed, but with compress:gzip (or xz, bzip2, lzop, zstd and so
on). numericowner:true names owners by numbers only; xattrs:true, selinux:true and acls:true keep what they name;
"excludes:PATTERN ..." leaves files out.

${copyHelp}${machineHelp}`,
  async run(args) {
    const { machine, values, words } = readToolArguments(args, copyOptions("ro"));
    const [folder, archive, ...more] = words;
    if (folder === undefined || archive === undefined)
      throw new UsageError("it takes a folder of the machine and an archive of this host");
    const packing = parseTarOptions(more, "out");
    const open = { program: "virt-tar-out", readOnly: true, sync: !values.has("no-sync") };
    await withMachine(machine, open, async ({ g, path, signal }) => {
      await g.tarOut(await path(folder), archive === "-" ? process.stdout : archive, { ...packing, signal });
    });
  },
};
