import { fromText, toText } from "../byte-string.ts";
import type { ByteString } from "../byte-string.ts";
import type { Command } from "../command.ts";
import { ShellError } from "../shell-error.ts";
import { Reported } from "../shell.ts";
import type { Shell } from "../shell.ts";

const glob: Command = {
  async run(shell, words, { run }) {
    const [command, ...patterns] = words;
    if (command === undefined) throw new ShellError("usage: glob command [args ...]");
    const expanded: ByteString[][] = [];
    for (const pattern of patterns) expanded.push(await expand(shell, pattern));

    let failed = false;
    for (const parameters of combinations(expanded)) {
      if (shell.leaving || shell.interrupted) break;
      try {
        await run([command, ...parameters]);
      } catch (error) {
        shell.report(error);
        failed = true;
      }
    }
    if (failed) throw new Reported();
  },
};
export default glob;

/** The paths of the guest that match; the word itself where none does, or where it is no path. */
async function expand(shell: Shell, word: ByteString): Promise<ByteString[]> {
  if (!word.startsWith("/") || !/[*?[{\\]/.test(word)) return [word];
  const paths = await (await shell.handle()).globExpand(toText(word));
  return paths.length === 0 ? [word] : paths.map(fromText);
}

/** Every choice of one from each list, the last list changing fastest. */
function* combinations(lists: readonly (readonly ByteString[])[]): Generator<ByteString[]> {
  const [first, ...rest] = lists;
  if (first === undefined) {
    yield [];
    return;
  }
  for (const item of first) for (const tail of combinations(rest)) yield [item, ...tail];
}
