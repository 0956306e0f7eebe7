import type { Command } from "../command.ts";
import { ShellError } from "../shell-error.ts";

const not: Command = {
  async run(_shell, words, _name, runner) {
    if (words.length === 0) throw new ShellError("usage: not command [args ...]");
    if (await runner.succeeds(words)) throw new ShellError("guestfish: not: the command succeeded");
  },
};
export default not;
