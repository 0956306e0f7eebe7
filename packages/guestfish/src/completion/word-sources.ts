import type { Parameter, Procedure } from "@guestfs/schema";
import { findShellCommand } from "../commands.ts";
import { findProcedure } from "../procedure-names.ts";

/** Where the word being typed may come from. */
export interface WordSources {
  /** Paths of the guest. */
  readonly paths: boolean;
  readonly devices: boolean;
  /** Files of this host. */
  readonly files: boolean;
  readonly commands: boolean;
  /** Words as they are, such as `true` or `readonly:`; those that end in `:` go on. */
  readonly words: readonly string[];
}

const none: WordSources = { paths: false, devices: false, files: false, commands: false, words: [] };
const paths: WordSources = { ...none, paths: true };
const files: WordSources = { ...none, files: true };
const commands: WordSources = { ...none, commands: true };
const booleans = ["true", "false"];

/** Sources of the shell's own commands, by the place of the word; the last stands for all that follow. */
const shellWords: Readonly<Record<string, readonly WordSources[]>> = {
  help: [commands],
  alloc: [files, none],
  "copy-in": [files, { ...paths, files: true }],
  "copy-out": [paths, { ...paths, files: true }],
  display: [paths, none],
  edit: [paths, none],
  hexedit: [{ ...paths, devices: true }, none],
  lcd: [files, none],
  more: [paths, none],
  sparse: [files, none],
};

/** Commands whose words are a command. */
const prefixes = new Set(["glob", "not", "time"]);

/** What the next word of a command may be; `words`: the name and what follows it so far. */
export function wordSources(words: readonly string[]): WordSources {
  const [name = "", ...before] = words;
  const own = findShellCommand(name);
  if (own !== undefined) {
    if (prefixes.has(own.name)) return before.length === 0 ? commands : wordSources(before);
    const places = shellWords[own.name] ?? [];
    return places[Math.min(before.length, places.length - 1)] ?? none;
  }
  const row = findProcedure(name);
  return row === undefined ? none : parameterSources(row, before);
}

function parameterSources(row: Procedure, before: readonly string[]): WordSources {
  const wanted = row.params.filter((parameter) => parameter.of !== "key");
  const parameter = wanted[before.length];
  if (parameter !== undefined) return sourcesOf(parameter, row);
  const given = new Set(before.slice(wanted.length).map((word) => word.slice(0, word.indexOf(":"))));
  const optional = (row.optional ?? []).filter(({ name }) => !given.has(name));
  return {
    ...none,
    words: optional.flatMap(({ name, type }) =>
      type === "bool" ? booleans.map((value) => `${name}:${value}`) : [`${name}:`],
    ),
  };
}

function sourcesOf(parameter: Parameter, row: Procedure): WordSources {
  if (parameter.type === "bool") return { ...none, words: booleans };
  switch (parameter.of) {
    case "pathname":
      return paths;
    case "device":
    case "mountable":
      return { ...none, devices: true };
    case "device-or-path":
    case "mountable-or-path":
      return { ...paths, devices: true };
    case "file-in":
    case "file-out":
      return files;
    case "plain":
    case undefined:
      // Names of calls that the library answers itself are this host's.
      if (row.proc === undefined) return /^(filename|hv|localmountpoint)$/.test(parameter.name) ? files : none;
      return parameter.type === "string" ? { ...paths, devices: true } : none;
    default:
      return none;
  }
}
