import { toText } from "./byte-string.ts";
import type { ByteString } from "./byte-string.ts";
import type { Shell } from "./shell.ts";

/** A path of the guest as a word gives it, with `win:` resolved. */
export async function guestPath(shell: Shell, word: ByteString): Promise<string> {
  const path = toText(word);
  if (!/^win:/i.test(path)) return path;
  const { resolveWindowsPath } = await import("guestfs/command-line");
  return resolveWindowsPath(await shell.handle(), path.slice(4));
}
