import { toText } from "../byte-string.ts";
import type { Command } from "../command.ts";
import { guestPath } from "../guest-path.ts";
import { ShellError } from "../shell-error.ts";

const copyIn: Command = {
  async run(shell, words) {
    if (words.length < 2) throw new ShellError("usage: copy-in local [local ...] /remotedir");
    const target = await guestPath(shell, words.at(-1)!);
    const handle = await shell.handle();
    await shell.interruptible(async (signal) => {
      for (const local of words.slice(0, -1)) await handle.copyIn(toText(local), target, { signal });
    });
  },
};
export default copyIn;
