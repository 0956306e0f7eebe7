import type { ByteString } from "./byte-string.ts";
import { fromText } from "./byte-string.ts";
import { guestPath } from "./guest-path.ts";
import { quoteForHost } from "./host-shell.ts";
import { withLocalCopy } from "./local-copy.ts";
import { ShellError } from "./shell-error.ts";
import type { Shell } from "./shell.ts";

/** Downloads a file of the guest and runs a program of the host on the copy. */
export async function viewOnHost(
  shell: Shell,
  program: string,
  command: string,
  words: readonly ByteString[],
): Promise<void> {
  const [word] = words;
  if (word === undefined || words.length !== 1) throw new ShellError(`usage: ${command} filename`);
  const remote = await guestPath(shell, word);
  const handle = await shell.handle();
  await withLocalCopy(remote, async (local) => {
    await shell.interruptible((signal) => handle.download(remote, local, { signal }));
    const status = await shell.console.runHostCommand(fromText(`${program} ${quoteForHost(local)}`), shell.output);
    if (status !== 0) throw new ShellError(`guestfish: ${program} ended with status ${status}`);
  });
}
