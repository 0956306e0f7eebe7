import type { Command } from "../command.ts";
import { ShellError } from "../shell-error.ts";

const man: Command = {
  async run(shell, words) {
    if (words.length > 0) throw new ShellError("usage: man");
    await shell.printText(
      "'help' lists what there is to know, 'help cmd' explains one command, 'help --list' lists them all.\nThe reference of every call is docs/reference/ of the project.\n",
    );
  },
};
export default man;
