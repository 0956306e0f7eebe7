import type { OptionalParameter, Parameter, Procedure } from "@guestfs/schema";
import { camelCase } from "@guestfs/schema";
import { parseBoolean } from "./boolean.ts";
import { toBytes, toText } from "./byte-string.ts";
import type { ByteString } from "./byte-string.ts";
import { parseInteger } from "./integer.ts";
import { usageOf } from "./procedure-names.ts";
import { ShellError } from "./shell-error.ts";
import { splitList } from "./string-list.ts";

/** What the words of a command need from around them. */
export interface ArgumentContext {
  /** Resolves `win:` paths; other paths come back as they are. */
  path(path: string): Promise<string>;
  /** Standard input, for `-`. */
  input(): unknown;
  /** Standard output, for `-`. */
  sink(): unknown;
  /** The lines up to the marker, for `-<<MARKER`. */
  heredoc(marker: ByteString): Promise<ByteString>;
  /** Asks a person for a secret. */
  key(parameter: string): Promise<string>;
}

/** A call ready to be made. */
export interface CallArguments {
  readonly positional: readonly unknown[];
  readonly optional: Readonly<Record<string, unknown>>;
}

/** Turns the words after a command's name into arguments; throws {@link ShellError}. */
export async function readArguments(
  row: Procedure,
  name: string,
  words: readonly ByteString[],
  context: ArgumentContext,
): Promise<CallArguments> {
  const wanted = row.params.filter((parameter) => parameter.of !== "key").length;
  if (words.length < wanted || (words.length > wanted && row.optional === undefined))
    throw new ShellError(wrongNumber(row, name, words.length, wanted));

  // Before anything is asked of a person or read from standard input.
  const optional = readOptional(row, name, words.slice(wanted));
  const positional: unknown[] = [];
  let next = 0;
  for (const parameter of row.params) {
    if (parameter.of === "key") positional.push(await context.key(parameter.name));
    else positional.push(await readParameter(parameter, name, words[next++]!, context));
  }
  return { positional, optional };
}

async function readParameter(
  parameter: Parameter,
  command: string,
  word: ByteString,
  context: ArgumentContext,
): Promise<unknown> {
  switch (parameter.of) {
    case "file-in":
      if (word === "-") return context.input();
      if (word === "-<<") throw new ShellError(`${command}: -<< needs a marker, such as -<<END`);
      if (word.startsWith("-<<")) return toBytes(await context.heredoc(word.slice(3)));
      return toText(word);
    case "file-out":
      return word === "-" ? context.sink() : toText(word);
    case "pathname":
    case "device-or-path":
    case "mountable-or-path":
      if (parameter.type === "string") return context.path(toText(word));
      return Promise.all(splitList(word).map((item) => context.path(toText(item))));
    default:
      break;
  }
  switch (parameter.type) {
    case "string":
      return toText(word);
    case "optional-string":
      return word === "" ? null : toText(word);
    case "string-list":
      return splitList(word).map(toText);
    case "buffer":
      return toBytes(word);
    case "bool":
      return readBoolean(word);
    case "int":
      return Number(readInteger(command, parameter.name, word, 32));
    case "int64":
      return narrow(readInteger(command, parameter.name, word, 64));
    case "pointer":
      throw new ShellError(`${command}: ${parameter.name}: an address can't be given in the shell`);
  }
}

function readOptional(row: Procedure, command: string, words: readonly ByteString[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const word of words) {
    const colon = word.indexOf(":");
    const parameter =
      colon === -1 ? undefined : row.optional?.find((candidate) => candidate.name === word.slice(0, colon));
    if (parameter === undefined) throw new ShellError(`${command}: unknown optional argument "${toText(word)}"`);
    const key = camelCase(parameter.name);
    if (key in values) throw new ShellError(`${command}: optional argument "${parameter.name}" given more than once`);
    values[key] = readOptionalValue(parameter, command, word.slice(colon + 1));
  }
  return values;
}

function readOptionalValue(parameter: OptionalParameter, command: string, word: ByteString): unknown {
  switch (parameter.type) {
    case "string":
      return toText(word);
    case "string-list":
      return splitList(word).map(toText);
    case "bool":
      return readBoolean(word);
    case "int":
      return Number(readInteger(command, parameter.name, word, 32));
    case "int64":
      return narrow(readInteger(command, parameter.name, word, 64));
  }
}

function readBoolean(word: ByteString): boolean {
  const value = parseBoolean(word);
  if (value === undefined) throw new ShellError(`guestfish: '${toText(word)}' is no truth value: use true or false`);
  return value;
}

function readInteger(command: string, parameter: string, word: ByteString, bits: number): bigint {
  const value = parseInteger(word);
  if (value === undefined) throw new ShellError(`${command}: ${parameter}: '${toText(word)}' is no integer`);
  if (BigInt.asIntN(bits, value) !== value)
    throw new ShellError(`${command}: ${parameter}: ${toText(word)} is out of range`);
  return value;
}

/** A number where it is exact. */
function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function wrongNumber(row: Procedure, name: string, given: number, wanted: number): string {
  const rule = row.optional === undefined ? `${wanted}` : `at least ${wanted}`;
  return `error: ${name} takes ${rule} parameter${wanted === 1 ? "" : "s"}, not ${given}\nusage: ${usageOf(row)}\n'help ${name}' explains it`;
}
