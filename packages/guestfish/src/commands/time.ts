import type { Command } from "../command.ts";
import { ShellError } from "../shell-error.ts";

const time: Command = {
  async run(shell, words, _name, runner) {
    if (words.length === 0) throw new ShellError("usage: time command [args ...]");
    const began = performance.now();
    await runner.run(words);
    await shell.print(`elapsed time: ${((performance.now() - began) / 1000).toFixed(2)} seconds\n`);
  },
};
export default time;
