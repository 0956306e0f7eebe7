import type { Command } from "../command.ts";
import { ShellError } from "../shell-error.ts";

const reopen: Command = {
  async run(shell, words) {
    if (words.length > 0) throw new ShellError("usage: reopen");
    await shell.close();
  },
};
export default reopen;
