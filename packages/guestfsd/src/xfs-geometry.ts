import { statSync } from "node:fs";
import { run } from "./exec.ts";

/**
 * Reads what xfs_info(8) prints, as `data.bsize` to `4096`; what stands right behind a section's name has the name alone: `log` to
 * `internal log`.
 */
export function parseXfsGeometry(text: string): Record<string, string> {
  const values: Record<string, string> = Object.create(null) as Record<string, string>;
  let section = "";
  for (const line of text.split("\n")) {
    const match = /^(\S*)\s*=(.*)$/.exec(line);
    if (!match) continue;
    const [, name = "", rest = ""] = match;
    let content = rest;
    if (name !== "") {
      section = name;
      const own = /^(\S(?:\S| (?! ))*)/.exec(rest)?.[1] ?? "";
      values[section] = own;
      content = rest.slice(own.length);
    }
    for (const [, key = "", value = ""] of content.matchAll(/([\w-]+)=(\w+)/g)) values[`${section}.${key}`] = value;
  }
  return values;
}

/** The geometry of an XFS filesystem, of its device or of a folder on the daemon's side where it is mounted. */
export function readXfsGeometry(place: string): Record<string, string> {
  const program = statSync(place).isDirectory()
    ? ["xfs_spaceman", "-c", "info", place]
    : ["xfs_db", "-r", "-c", "info", place];
  return parseXfsGeometry(run(program).stdout.toString("utf8"));
}
