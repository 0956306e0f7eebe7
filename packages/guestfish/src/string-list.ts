import type { ByteString } from "./byte-string.ts";
import { ShellError } from "./shell-error.ts";

/**
 * Splits one word into a list: at blanks and tabs, except inside `'...'`; `\'` is a literal quote
 * (guestfish(1), QUOTING). Throws {@link ShellError} for a quote that is not closed.
 */
export function splitList(word: ByteString): ByteString[] {
  const items: ByteString[] = [];
  let item: ByteString | undefined;
  let quoted = false;
  for (let at = 0; at < word.length; at++) {
    const letter = word[at]!;
    if (letter === "\\" && word[at + 1] === "'") {
      item = `${item ?? ""}'`;
      at++;
    } else if (letter === "'") {
      quoted = !quoted;
      item ??= "";
    } else if (!quoted && /[ \t]/.test(letter)) {
      if (item !== undefined) items.push(item);
      item = undefined;
    } else {
      item = (item ?? "") + letter;
    }
  }
  if (quoted) throw new ShellError(`guestfish: a quote is not closed in the list "${word}"`);
  if (item !== undefined) items.push(item);
  return items;
}
