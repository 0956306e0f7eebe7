import { readFile } from "node:fs/promises";
import type { Guestfs } from "guestfs";
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
    const editor = called === "edit" ? (process.env["EDITOR"] ?? "vi") : called;
    const handle = await shell.handle();
    await withLocalCopy(remote, async (local) => {
      await shell.interruptible((signal) => handle.download(remote, local, { signal }));
      const before = await readFile(local);
      const status = await shell.console.runHostCommand(fromText(`${editor} ${quoteForHost(local)}`), shell.output);
      if (status !== 0)
        throw new ShellError(`guestfish: ${editor} ended with status ${status}: ${remote} stays as it was`);
      if ((await readFile(local)).equals(before)) return;
      await replace(handle, remote, local);
    });
  },
};
export default edit;

/** Puts a new file in the place of the old one at once, so that a failure half-way leaves the old one whole. */
async function replace(handle: Guestfs, remote: string, local: string): Promise<void> {
  // Of a symlink, the file it points to is replaced and not the link.
  const target = (await handle.isSymlink(remote)) ? await handle.realpath(remote) : remote;
  const temporary = await handle.mktemp(`${target.slice(0, target.lastIndexOf("/") + 1)}.guestfish-XXXXXX`);
  try {
    await handle.upload(local, temporary);
    await handle.copyAttributes(target, temporary, { all: true });
    await handle.mv(temporary, target);
  } catch (error) {
    await handle.rmF(temporary).catch(() => undefined);
    throw error;
  }
}
