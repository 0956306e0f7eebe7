import { toText } from "../byte-string.ts";
import type { Command } from "../command.ts";
import { ShellError } from "../shell-error.ts";

const setenv: Command = {
  async run(_shell, words) {
    const [name, value] = words;
    if (name === undefined || value === undefined || words.length !== 2)
      throw new ShellError("usage: setenv VAR value");
    process.env[toText(name)] = toText(value);
  },
};
export default setenv;
