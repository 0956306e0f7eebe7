import { eachWord } from "../machine/each-word.ts";
import { withOldStyle } from "../machine/old-style.ts";
import { machineHelp, readToolArguments } from "../machine/options.ts";
import { withMachine } from "../machine/with-machine.ts";
import type { Tool } from "../tool.ts";
import { UsageError } from "../tool-error.ts";

export const tool: Tool = {
  name: "virt-cat",
  help: `virt-cat: print files of a machine, off or running

usage: virt-cat (-a IMAGE | [--live] -d NAME) FILE ...

${machineHelp}`,
  async run(args) {
    const { machine, words } = withOldStyle(readToolArguments(args, []), 1);
    if (words.length === 0) throw new UsageError("which file is to be printed?");
    return withMachine(machine, { program: "virt-cat", readOnly: true }, (open) =>
      eachWord(open, words, (path) => open.g.download(path, process.stdout, { signal: open.signal })),
    );
  },
};
