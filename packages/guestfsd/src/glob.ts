import { decodeText, encodeText, messageMax } from "@guestfs/protocol";
import { constants, fstatSync } from "node:fs";
import type { Context } from "./context.ts";
import { DaemonError } from "./daemon-error.ts";
import { closeDescriptor } from "./native/descriptor.ts";
import { isDots, readDirectory } from "./native/directory.ts";
import { O_DIRECTORY, O_PATH } from "./native/file.ts";
import { nameMatcher } from "./native/name-match.ts";
import { SystemError } from "./native/system-error.ts";
import { ReplyRoom } from "./reply-room.ts";
import type { Sysroot } from "./sysroot.ts";

const magic = /[*?[]/;
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

function tooMany(): DaemonError {
  return new DaemonError("too many alternatives in the pattern", "E2BIG");
}

/** `a{b,c}d` to `abd` and `acd`, as GLOB_BRACE of glob(3) has it; `{}` stays as it is. */
export function expandBraces(pattern: string, pulse: () => void): string[] {
  const done: string[] = [];
  let length = pattern.length;
  const open: { readonly text: string; readonly from: number }[] = [{ text: pattern, from: 0 }];
  for (let next = open.pop(); next; next = open.pop()) {
    pulse();
    const { text, from } = next;
    const at = firstBrace(text, from);
    const braces = at < 0 ? undefined : braceParts(text, at);
    if (at < 0) done.push(text);
    else if (!braces || text.startsWith("{}", at)) open.push({ text, from: at + 1 });
    else if (braces.parts.length > alternativesMax) throw tooMany();
    else {
      length -= text.length;
      for (const part of braces.parts.toReversed()) {
        const alternative = text.slice(0, at) + part + text.slice(braces.end + 1);
        length += alternative.length;
        open.push({ text: alternative, from: at });
      }
    }
    if (done.length + open.length > alternativesMax || length > messageMax) throw tooMany();
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

interface Search {
  readonly sysroot: Sysroot;
  readonly elements: readonly string[];
  readonly pulse: () => void;
  readonly found: (path: string) => void;
}

/** Goes through the names in a folder that an element of the pattern matches, in no order. */
function eachNameLike(search: Search, folder: string, element: string, visit: (name: string) => void): void {
  let fd: number;
  try {
    fd = search.sysroot.open(folder || "/", constants.O_RDONLY | O_DIRECTORY);
  } catch {
    // A folder that can't be read holds nothing that matches.
    return;
  }
  const matches = nameMatcher(element);
  try {
    readDirectory(fd, ({ name }) => {
      search.pulse();
      if (matches(name) && (element.startsWith(".") || !isDots(name))) visit(decodeText(name));
    });
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  } finally {
    closeDescriptor(fd);
  }
}

/** Goes into each folder as it is found: a list of all of them can be as large as an attacker likes. */
function expandFrom(search: Search, start: string, from: number): void {
  let path = start;
  const { elements } = search;
  for (let at = from; at < elements.length; at++) {
    const element = elements[at] as string;
    if (magic.test(element)) {
      eachNameLike(search, path, element, (name) => expandFrom(search, `${path}/${name}`, at + 1));
      return;
    }
    path += `/${unescaped(element)}`;
  }
  search.pulse();
  search.found(path || "/");
}

/**
 * The paths of the guest that a pattern matches, as glob(3) has it with braces.
 * @param mark - puts a slash behind folders
 * @throws DaemonError when they are more than one message holds
 */
export function expandGlob(
  { sysroot, pulse }: Pick<Context, "sysroot" | "pulse">,
  pattern: string,
  mark: boolean,
): string[] {
  const room = new ReplyRoom();
  const wantFolders = pattern.endsWith("/");
  return expandBraces(pattern, pulse).flatMap((one) => {
    const paths: { readonly path: string; readonly bytes: Uint8Array }[] = [];
    const found = (bare: string): void => {
      if (!(wantFolders ? isFolder(sysroot, bare) : isThere(sysroot, bare))) return;
      const path = (mark || wantFolders) && bare !== "/" && isFolder(sysroot, bare) ? `${bare}/` : bare;
      const bytes = encodeText(path);
      room.takeString(bytes.length);
      paths.push({ path, bytes });
    };
    expandFrom({ sysroot, pulse, found, elements: one.split("/").filter((part) => part !== "") }, "", 0);
    return paths.toSorted((a, b) => Buffer.compare(a.bytes, b.bytes)).map(({ path }) => path);
  });
}
