import type { Command } from "../command.ts";
import { ShellError } from "../shell-error.ts";

const not: Command = {
  async run(_shell, words, { succeeds }) {
    if (words.length === 0) throw new ShellError("usage: not command [args ...]");
    if (await succeeds(words)) throw new ShellError("guestfish: not: the command succeeded");
  },
};
export default not;
