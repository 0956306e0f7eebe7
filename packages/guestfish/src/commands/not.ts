import type { Command } from "../command.ts";
import { tryCommand } from "../run.ts";
import { ShellError } from "../shell-error.ts";

const not: Command = {
  async run(shell, words) {
    if (words.length === 0) throw new ShellError("usage: not command [args ...]");
    if (await tryCommand(shell, { words, ignoreErrors: true }))
      throw new ShellError("guestfish: not: the command succeeded");
  },
};
export default not;
