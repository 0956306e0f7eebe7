import { toText } from "../byte-string.ts";
import type { Command } from "../command.ts";
import { guestPath } from "../guest-path.ts";
import { ShellError } from "../shell-error.ts";

const copyOut: Command = {
  async run(shell, words) {
    if (words.length < 2) throw new ShellError("usage: copy-out remote [remote ...] localdir");
    const target = toText(words.at(-1)!);
    const handle = await shell.handle();
    await shell.interruptible(async (signal) => {
      for (const remote of words.slice(0, -1)) await handle.copyOut(await guestPath(shell, remote), target, { signal });
    });
  },
};
export default copyOut;
