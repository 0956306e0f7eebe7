import type { Command } from "../command.ts";
import { ShellError } from "../shell-error.ts";

const time: Command = {
  async run(shell, words, { run }) {
    if (words.length === 0) throw new ShellError("usage: time command [args ...]");
    const began = performance.now();
    await run(words);
    await shell.print(`elapsed time: ${((performance.now() - began) / 1000).toFixed(2)} seconds\n`);
  },
};
export default time;
