import { toText } from "../byte-string.ts";
import type { Command } from "../command.ts";
import { ShellError } from "../shell-error.ts";

const lcd: Command = {
  async run(_shell, words) {
    const [word] = words;
    if (word === undefined || words.length !== 1) throw new ShellError("usage: lcd directory");
    const directory = toText(word);
    try {
      process.chdir(directory);
    } catch (error) {
      const { strerror } = await import("guestfs/command-line");
      throw new ShellError(`${directory}: ${strerror(error)}`, { cause: error });
    }
  },
};
export default lcd;
