import { camelCase } from "@guestfs/schema";
import type { OptionalParameter, Parameter, Procedure } from "@guestfs/schema";
import type { Arguments } from "@guestfs/protocol";
import type { CallOptions } from "./call-options.ts";
import { isFileSink } from "./transfer/file-sink.ts";
import { isFileSource } from "./transfer/file-source.ts";

/** The arguments of a method, taken apart. */
export interface ParsedCall {
  /** by TypeScript name, without the file */
  readonly args: Arguments;
  /** the argument that stands for content to send or a place to write to */
  readonly file: unknown;
  /** the last argument */
  readonly options: CallOptions;
}

/** What is wrong with a value; `undefined` when nothing is. */
type Check = (value: unknown) => string | undefined;

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : typeof value;
}

function expect(what: string, holds: (value: unknown) => boolean): Check {
  return (value) => (holds(value) ? undefined : `must be ${what}, not ${kindOf(value)}`);
}

const isText = (value: unknown): value is string => typeof value === "string";

const checkText: Check = (value) => {
  if (!isText(value)) return `must be a string, not ${kindOf(value)}`;
  return value.includes("\0") ? "must not contain a NUL character" : undefined;
};

const checkTextOrNull: Check = (value) => (value === null ? undefined : checkText(value));

const checkList: Check = (value) => {
  if (!Array.isArray(value)) return `must be an array of strings, not ${kindOf(value)}`;
  for (const element of value) {
    const wrong = checkText(element);
    if (wrong !== undefined) return `each element ${wrong}`;
  }
  return undefined;
};

const checkInt: Check = (value) => {
  if (typeof value !== "number") return `must be a number, not ${kindOf(value)}`;
  return Number.isInteger(value) && Math.abs(value + 0.5) <= 0x80000000
    ? undefined
    : `${value} is not an integer of 32 bits`;
};

const checkInt64: Check = (value) => {
  if (typeof value === "bigint")
    return BigInt.asIntN(64, value) === value ? undefined : `${value} is not an integer of 64 bits`;
  if (typeof value !== "number") return `must be a number or a bigint, not ${kindOf(value)}`;
  return Number.isSafeInteger(value) ? undefined : `${value} is not an exact integer`;
};

const checkBool = expect("a boolean", (value) => typeof value === "boolean");
const checkBytes = expect("a Uint8Array", (value) => value instanceof Uint8Array);
const checkPointer = expect("a bigint", (value) => typeof value === "bigint");
const checkSource = expect("a path, a Uint8Array or a stream of them", isFileSource);
const checkSink = expect("a path or a writable stream", isFileSink);

function checkOf(parameter: Parameter | OptionalParameter): Check {
  if ("of" in parameter && parameter.of === "file-in") return checkSource;
  if ("of" in parameter && parameter.of === "file-out") return checkSink;
  switch (parameter.type) {
    case "string":
      return checkText;
    case "optional-string":
      return checkTextOrNull;
    case "string-list":
      return checkList;
    case "bool":
      return checkBool;
    case "int":
      return checkInt;
    case "int64":
      return checkInt64;
    case "buffer":
      return checkBytes;
    case "pointer":
      return checkPointer;
  }
}

const noOptions: CallOptions = Object.freeze({});

/** How the arguments of one method are read. Made once for each method. */
export class MethodPlan {
  readonly row: Procedure;
  /** Whether there is a file, and which way it goes. */
  readonly file: "in" | "out" | undefined;
  readonly #positional: readonly { readonly name: string; readonly isFile: boolean; readonly check: Check }[];
  readonly #optional: ReadonlyMap<string, Check>;

  constructor(row: Procedure) {
    this.row = row;
    this.#positional = row.params.map((parameter) => ({
      name: camelCase(parameter.name),
      isFile: parameter.of === "file-in" || parameter.of === "file-out",
      check: checkOf(parameter),
    }));
    this.#optional = new Map((row.optional ?? []).map((parameter) => [camelCase(parameter.name), checkOf(parameter)]));
    const file = row.params.find((parameter) => parameter.of === "file-in" || parameter.of === "file-out");
    this.file = file && (file.of === "file-in" ? "in" : "out");
  }

  /**
   * Takes the arguments apart.
   * @throws TypeError or RangeError naming the call and the parameter
   */
  parse(values: readonly unknown[]): ParsedCall {
    const args: Arguments = {};
    let file: unknown;
    const count = this.#positional.length;
    for (const [index, parameter] of this.#positional.entries()) {
      const value = values[index];
      this.#require(parameter.name, parameter.check, value);
      if (parameter.isFile) file = value;
      else args[parameter.name] = value;
    }
    if (values.length > count + 1)
      throw new TypeError(`${this.row.name}: takes ${count} arguments and options, not ${values.length}`);
    const options = values[count];
    if (options === undefined) return { args, file, options: noOptions };
    if (typeof options !== "object" || options === null || Array.isArray(options))
      throw new TypeError(`${this.row.name}: options must be an object, not ${kindOf(options)}`);
    this.#readOptions(options as Record<string, unknown>, args);
    return { args, file, options };
  }

  #readOptions(options: Record<string, unknown>, args: Arguments): void {
    for (const name of Object.keys(options)) {
      const value = options[name];
      const check = this.#optional.get(name);
      if (check) {
        if (value === undefined) continue;
        this.#require(name, check, value);
        args[name] = value;
      } else if (name === "signal") {
        if (value !== undefined && !(value instanceof AbortSignal))
          throw new TypeError(`${this.row.name}: signal must be an AbortSignal, not ${kindOf(value)}`);
      } else if (name === "onProgress") {
        if (value !== undefined && typeof value !== "function")
          throw new TypeError(`${this.row.name}: onProgress must be a function, not ${kindOf(value)}`);
      } else {
        const known = [...this.#optional.keys(), "signal", "onProgress"].join(", ");
        throw new TypeError(`${this.row.name}: unknown option ${name}; there are ${known}`);
      }
    }
  }

  #require(name: string, check: Check, value: unknown): void {
    const wrong = check(value);
    if (wrong === undefined) return;
    const message = `${this.row.name}: ${name}: ${wrong}`;
    throw wrong.startsWith("must") || wrong.startsWith("each") ? new TypeError(message) : new RangeError(message);
  }
}
