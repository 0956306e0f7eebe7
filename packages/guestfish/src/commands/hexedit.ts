import { readFile } from "node:fs/promises";
import { fromText, toText } from "../byte-string.ts";
import type { Command } from "../command.ts";
import { guestPath } from "../guest-path.ts";
import { quoteForHost } from "../host-shell.ts";
import { withLocalCopy } from "../local-copy.ts";
import { readSize } from "../new-image.ts";
import { ShellError } from "../shell-error.ts";

/** What is downloaded without being asked for a part; more would surprise the host's disk. */
const wholeLimit = 16n * 1024n * 1024n;

const hexedit: Command = {
  async run(shell, words) {
    const [word, ...limits] = words;
    if (word === undefined || words.length > 3)
      throw new ShellError("usage: hexedit (device|filename) [max | start max]");
    const numbers = limits.map((limit) => readSize(toText(limit)));
    const start = numbers.length === 2 ? numbers[0]! : 0n;
    const limit = numbers.at(-1);

    const remote = await guestPath(shell, word);
    const handle = await shell.handle();
    const size = BigInt(
      remote.startsWith("/dev/") ? await handle.blockdevGetsize64(remote) : await handle.filesize(remote),
    );
    if (limit === undefined && size > wholeLimit)
      throw new ShellError(`hexedit: ${remote} has ${size} bytes: say how many to edit, as in 'hexedit ${remote} 1M'`);
    if (size === 0n) throw new ShellError(`hexedit: ${remote} is empty`);
    if (start >= size || limit === 0n)
      throw new ShellError(`hexedit: there is nothing to edit in that part of ${remote}, which has ${size} bytes`);
    const rest = size - start;
    const length = limit === undefined || limit > rest ? rest : limit;

    await withLocalCopy(remote, async (local) => {
      await shell.interruptible((signal) => handle.downloadOffset(remote, local, start, length, { signal }));
      const before = await readFile(local);
      const editor = process.env["HEXEDITOR"] ?? "hexedit";
      const status = await shell.console.runHostCommand(fromText(`${editor} ${quoteForHost(local)}`), shell.output);
      if (status !== 0)
        throw new ShellError(`guestfish: ${editor} ended with status ${status}: ${remote} stays as it was`);
      if (!(await readFile(local)).equals(before)) await handle.uploadOffset(local, remote, start);
    });
  },
};
export default hexedit;
