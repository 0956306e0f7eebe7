import { Script } from "./script.ts";

let script: Script | undefined;

/**
 * Standard input. Scripts, here-documents, passphrases and `-` all read from this one place, so that none of them
 * loses what another has read ahead.
 */
export function standardInput(): Script {
  script ??= new Script("*stdin*", process.stdin);
  return script;
}

/** What a command of the host gets as its standard input: nothing, when we read from it ourselves. */
export function hostInput(): "inherit" | "ignore" {
  return script !== undefined && !process.stdin.isTTY ? "ignore" : "inherit";
}
