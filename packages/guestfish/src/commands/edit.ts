import { fetchFile, putFileBack } from "guestfs/command-line";
import { fromText } from "../byte-string.ts";
import { normaliseName } from "../command.ts";
import type { Command } from "../command.ts";
import { guestPath } from "../guest-path.ts";
import { quoteForHost } from "../host-shell.ts";
import { withLocalCopy } from "../local-copy.ts";
import { ShellError } from "../shell-error.ts";

const edit: Command = {
  async run(shell, words, { name }) {
    const [word] = words;
    if (word === undefined || words.length !== 1) throw new ShellError(`usage: ${name} filename`);
    const remote = await guestPath(shell, word);
    const called = normaliseName(name);
    const editor = called === "edit" ? (process.env["EDITOR"] ?? "vi") : called === "emacs" ? "emacs -nw" : called;
    const handle = await shell.handle();
    await withLocalCopy(remote, async (local) => {
      const fetched = await shell.interruptible((signal) => fetchFile(handle, remote, local, signal));
      const status = await shell.console.runHostCommand(fromText(`${editor} ${quoteForHost(local)}`), shell.output);
      if (status !== 0)
        throw new ShellError(`guestfish: ${editor} ended with status ${status}: ${remote} stays as it was`);
      await putFileBack(handle, fetched, local);
    });
  },
};
export default edit;
