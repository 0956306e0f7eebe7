import { toText } from "./byte-string.ts";
import type { ByteString } from "./byte-string.ts";
import { parseInteger } from "./integer.ts";
import { ShellError } from "./shell-error.ts";
import type { Shell } from "./shell.ts";

/** Reads a size in bytes with its suffix; throws {@link ShellError} for anything else. */
export function readSize(text: string): bigint {
  const size = parseInteger(text);
  if (size === undefined || size < 0n || size > 0x7fff_ffff_ffff_ffffn) {
    throw new ShellError(`guestfish: '${text}' is no size: a number of bytes, or one with a suffix such as 100M`);
  }
  return size;
}

/** Makes a raw disk image and attaches it. */
export async function makeImage(
  shell: Shell,
  command: "alloc" | "sparse",
  words: readonly ByteString[],
): Promise<void> {
  const [file, size] = words;
  if (file === undefined || size === undefined || words.length !== 2)
    throw new ShellError(`usage: ${command} filename size`);
  const path = toText(file);
  const bytes = readSize(toText(size));
  if (bytes === 0n) throw new RangeError(`${command}: an image of 0 bytes is no disk`);
  const handle = await shell.handle();
  await handle.diskCreate(path, "raw", bytes, { preallocation: command === "alloc" ? "full" : "sparse" });
  await handle.addDrive(path, { format: "raw" });
}
