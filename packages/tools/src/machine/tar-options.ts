import { parseBoolean } from "guestfs/internal";
import { UsageError } from "../tool-error.ts";

/** What an archive is made or unpacked with, by the names of guestfs(3)'s optional arguments. */
export interface TarOptions {
  compress?: string;
  numericowner?: boolean;
  xattrs?: boolean;
  selinux?: boolean;
  acls?: boolean;
  keepdirlink?: boolean;
  excludes?: string[];
}

const names = {
  in: ["compress", "xattrs", "selinux", "acls", "keepdirlink"],
  out: ["compress", "xattrs", "selinux", "acls", "numericowner", "excludes"],
} as const;

/**
 * Reads words such as `compress:gzip` and `numericowner:true`, and `excludes:PATTERN ...` with blanks between patterns.
 * @param way - `in`: for unpacking
 * @throws UsageError
 */
export function parseTarOptions(words: readonly string[], way: "in" | "out"): TarOptions {
  const options: TarOptions = {};
  for (const word of words) {
    const colon = word.indexOf(":");
    const [given, value] = [word.slice(0, colon), word.slice(colon + 1)];
    const name = ([...names[way]] as const).find((known) => known === given);
    if (name === undefined) throw new UsageError(`${word}: no option of an archive`);
    if (name in options) throw new UsageError(`${name}: given more than once`);
    if (name === "compress") options.compress = value;
    else if (name === "excludes") options.excludes = value.split(/[ \t]+/).filter((pattern) => pattern !== "");
    else {
      const truth = parseBoolean(value);
      if (truth === undefined) throw new UsageError(`${word}: true or false is needed`);
      options[name] = truth;
    }
  }
  return options;
}
