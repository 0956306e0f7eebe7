import { homedir } from "node:os";
import type { ByteString } from "./byte-string.ts";
import { fromText, toText } from "./byte-string.ts";

/** Expands `~` and `~user` at the start of a word to a home directory of this host. */
export function expandTilde(word: ByteString): ByteString {
  const slash = word.indexOf("/");
  const user = toText(slash === -1 ? word.slice(1) : word.slice(1, slash));
  const rest = slash === -1 ? "" : word.slice(slash);
  const home = user === "" ? homedir() : homeOf(user);
  return home === undefined ? word : fromText(home) + rest;
}

function homeOf(user: string): string | undefined {
  if (user.startsWith("-")) return undefined;
  // Loaded only here: few scripts name another user, and every one of them has to start quickly.
  const { execFileSync } = process.getBuiltinModule("node:child_process");
  try {
    const entry = execFileSync("getent", ["passwd", user], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return entry.trimEnd().split(":")[5];
  } catch {
    return undefined;
  }
}
