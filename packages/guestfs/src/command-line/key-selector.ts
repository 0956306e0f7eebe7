import { readFile } from "node:fs/promises";
import { CommandLineError } from "./command-line-error.ts";
import { strerror } from "./strerror.ts";

/** One `--key`: which device it is for, and where the passphrase comes from. */
export type KeySelector =
  | { readonly id: string; readonly kind: "key"; readonly key: string }
  | { readonly id: string; readonly kind: "file"; readonly file: string }
  | { readonly id: string; readonly kind: "clevis" };

/** Reads `ID:key:TEXT`, `ID:file:NAME` or `ID:clevis` (guestfish(1), --key); throws {@link CommandLineError}. */
export function parseKeySelector(text: string): KeySelector {
  const match = /^(.*?):(key|file|clevis)(?::(.*))?$/s.exec(text);
  const [, id = "", kind, value] = match ?? [];
  // The message must not repeat the text, which may hold a passphrase.
  if (id === "" || kind === undefined)
    throw new CommandLineError("--key: use ID:key:PASSPHRASE, ID:file:FILENAME or ID:clevis");
  if (kind === "clevis") return { id, kind };
  if (value === undefined) throw new CommandLineError(`--key: '${id}:${kind}' needs a value`);
  return kind === "key" ? { id, kind, key: value } : { id, kind: "file", file: value };
}

/** The selectors for a device, named by itself, by its UUID or by `all`. */
export function selectorsFor(selectors: readonly KeySelector[], device: string, uuid: string): KeySelector[] {
  return selectors.filter(({ id }) => id === device || (uuid !== "" && id === uuid) || id === "all");
}

/** The passphrase of a selector; a line end at the end of a file is no part of it. */
export async function passphraseOf(selector: KeySelector & { kind: "key" | "file" }): Promise<string> {
  if (selector.kind === "key") return selector.key;
  try {
    return (await readFile(selector.file, "utf8")).replace(/\r?\n$/, "");
  } catch (error) {
    throw new CommandLineError(`--key: ${selector.file}: ${strerror(error)}`, { cause: error });
  }
}
