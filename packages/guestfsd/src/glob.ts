import { decodeText, encodeText } from "@guestfs/protocol";
import { constants, fstatSync } from "node:fs";
import { DaemonError } from "./daemon-error.ts";
import { isDots, readDirectory } from "./native/directory.ts";
import { O_DIRECTORY, O_PATH } from "./native/file.ts";
import { nameMatcher } from "./native/name-match.ts";
import type { Sysroot } from "./sysroot.ts";

const magic = /[*?[]/;
const resultMax = 1_000_000;
const alternativesMax = 10_000;

/** Where the `}` of a `{` stands and where its commas are; `undefined` when it has no `}`. */
function braceParts(pattern: string, open: number): { readonly parts: string[]; readonly end: number } | undefined {
  const parts: string[] = [];
  let depth = 0;
  let start = open + 1;
  for (let at = open; at < pattern.length; at++) {
    const character = pattern[at];
    if (character === "\\") at++;
    else if (character === "{") depth++;
    else if (character === "}" && --depth === 0) {
      parts.push(pattern.slice(start, at));
      return { parts, end: at };
    } else if (character === "," && depth === 1) {
      parts.push(pattern.slice(start, at));
      start = at + 1;
    }
  }
  return undefined;
}

function firstBrace(pattern: string, from: number): number {
  for (let at = from; at < pattern.length; at++) {
    if (pattern[at] === "\\") at++;
    else if (pattern[at] === "{") return at;
  }
  return -1;
}

/** `a{b,c}d` to `abd` and `acd`, as GLOB_BRACE of glob(3) has it; `{}` stays as it is. */
export function expandBraces(pattern: string): string[] {
  const done: string[] = [];
  const open: { readonly text: string; readonly from: number }[] = [{ text: pattern, from: 0 }];
  for (let next = open.pop(); next; next = open.pop()) {
    const at = firstBrace(next.text, next.from);
    const braces = at < 0 ? undefined : braceParts(next.text, at);
    if (at < 0) done.push(next.text);
    else if (!braces || next.text.startsWith("{}", at)) open.push({ text: next.text, from: at + 1 });
    else
      for (const part of braces.parts.toReversed())
        open.push({ text: next.text.slice(0, at) + part + next.text.slice(braces.end + 1), from: at });
    if (done.length + open.length > alternativesMax)
      throw new DaemonError("too many alternatives in the pattern", "E2BIG");
  }
  return done;
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, "$1");
}

function isFolder(sysroot: Sysroot, path: string): boolean {
  try {
    return sysroot.withOpen(path, O_PATH, (fd) => fstatSync(fd).isDirectory());
  } catch {
    return false;
  }
}

function isThere(sysroot: Sysroot, path: string): boolean {
  try {
    sysroot.withOpen(path, O_PATH | constants.O_NOFOLLOW, () => undefined);
    return true;
  } catch {
    return false;
  }
}

function namesLike(sysroot: Sysroot, folder: string, element: string): string[] {
  const matches = nameMatcher(element);
  const names: Buffer[] = [];
  try {
    sysroot.withOpen(folder || "/", constants.O_RDONLY | O_DIRECTORY, (fd) =>
      readDirectory(fd, ({ name }) => {
        if (matches(name) && (element.startsWith(".") || !isDots(name))) names.push(Buffer.from(name));
      }),
    );
  } catch {
    // A folder that can't be read holds nothing that matches.
    return [];
  }
  return names.toSorted((a, b) => a.compare(b)).map((name) => decodeText(name));
}

function expandOne(sysroot: Sysroot, pattern: string, mark: boolean): string[] {
  let found = [""];
  for (const element of pattern.split("/").filter((part) => part !== "")) {
    found = magic.test(element)
      ? found.flatMap((folder) => namesLike(sysroot, folder, element).map((name) => `${folder}/${name}`))
      : found.map((folder) => `${folder}/${unescaped(element)}`);
    if (found.length > resultMax) throw new DaemonError("the pattern matches too much", "E2BIG");
  }
  const wantFolders = pattern.endsWith("/");
  return found
    .map((path) => path || "/")
    .filter((path) => (wantFolders ? isFolder(sysroot, path) : isThere(sysroot, path)))
    .map((path) => ((mark || wantFolders) && path !== "/" && isFolder(sysroot, path) ? `${path}/` : path))
    .map((path) => ({ path, bytes: encodeText(path) }))
    .toSorted((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ path }) => path);
}

/**
 * The paths of the guest that a pattern matches, as glob(3) has it with braces.
 * @param mark - puts a slash behind folders
 */
export function expandGlob(sysroot: Sysroot, pattern: string, mark: boolean): string[] {
  return expandBraces(pattern).flatMap((one) => expandOne(sysroot, one, mark));
}
