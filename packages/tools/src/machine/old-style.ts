import { existsSync } from "node:fs";
import type { ToolArguments } from "./options.ts";

/**
 * The way these programs were called before they had `-a` and `-d`: images, or the name of one domain, in front of the
 * other words. With `-a` or `-d`, or too few words, nothing is changed.
 * @param rest - how many words belong to the program at least
 */
export function withOldStyle(given: ToolArguments, rest: number): ToolArguments {
  const { machine, words } = given;
  const [first] = words;
  if (machine.drives.length > 0 || first === undefined || words.length <= rest) return given;
  const count = existsSync(first) ? words.length - rest : 1;
  const names = words.slice(0, count);
  const drives = existsSync(first)
    ? names.map((source) => ({ kind: "add", source }) as const)
    : names.map((domain) => ({ kind: "domain", domain }) as const);
  return { ...given, machine: { ...machine, drives }, words: words.slice(count) };
}
