import { toText } from "../byte-string.ts";
import type { Command } from "../command.ts";
import { ShellError } from "../shell-error.ts";

const unsetenv: Command = {
  async run(_shell, words) {
    const [name] = words;
    if (name === undefined || words.length !== 1) throw new ShellError("usage: unsetenv VAR");
    delete process.env[toText(name)];
  },
};
export default unsetenv;
