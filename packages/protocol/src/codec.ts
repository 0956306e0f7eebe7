import { camelCase } from "@guestfs/schema";
import type { OptionalParameter, Parameter, Procedure, Result } from "@guestfs/schema";
import { ProtocolError } from "./errors.ts";
import { placedError } from "./placed-error.ts";
import { structCodec, structListCodec } from "./struct-codec.ts";
import {
  bool,
  buffer,
  hashtable,
  int32,
  int64,
  nothing,
  optionalString,
  string,
  stringList,
  wideInt64,
} from "./value-codec.ts";
import type { ValueCodec } from "./value-codec.ts";
import type { Reader } from "./xdr/reader.ts";
import type { Writer } from "./xdr/writer.ts";

function parameterCodec(parameter: Parameter | OptionalParameter): ValueCodec {
  switch (parameter.type) {
    case "string":
      return string;
    case "optional-string":
      return optionalString;
    case "string-list":
      return stringList;
    case "bool":
      return bool;
    case "int":
      return int32;
    case "int64":
      return "wide" in parameter && parameter.wide ? wideInt64 : int64;
    case "buffer":
      return buffer;
    case "pointer":
      return wideInt64;
  }
}

/** What stands on the wire for an optional argument that is not set. */
const unsetValues = { string: "", "string-list": [], bool: false, int: 0, int64: 0 } as const;

function resultCodec(result: Result): ValueCodec {
  switch (result.type) {
    case "none":
      return nothing;
    case "bool":
      return bool;
    case "int":
      return int32;
    case "int64":
      return result.wide ? wideInt64 : int64;
    case "buffer":
      return buffer;
    case "string":
    case "const-string":
      return string;
    case "const-optional-string":
      return optionalString;
    case "string-list":
      return stringList;
    case "hashtable":
      return hashtable;
    case "struct":
      return structCodec(result.struct);
    case "struct-list":
      return structListCodec(result.struct);
  }
}

/** Arguments by their TypeScript names; files are not among them, they travel as chunks. */
export type Arguments = Record<string, unknown>;

/** The body of a procedure's calls and replies. Made once for each procedure, on first use. */
export interface ProcedureCodec {
  /** The mask that tells which optional arguments are set: those that are not `undefined`. */
  optionalMask(args: Arguments): bigint;
  /** Bits of the mask that the procedure knows. */
  readonly knownMask: bigint;
  /**
   * Appends the arguments, the optional ones that are not set as 0, false, "" or [].
   * @throws TypeError or RangeError that names the parameter whose value does not fit
   */
  writeArguments(writer: Writer, args: Arguments): void;
  /**
   * Takes the arguments; bytes behind them are left. Optional arguments that the mask does not name are not in the
   * result. A client that knows fewer optional arguments may end its message before them.
   * @throws ProtocolError that names the parameter when the bytes are no arguments of this procedure
   */
  readArguments(reader: Reader, optionalMask: bigint): Arguments;
  /** @throws TypeError, RangeError or ProtocolError that names the procedure when the value is no result of it */
  writeResult(writer: Writer, result: unknown): void;
  /** @throws ProtocolError when the bytes are no result of this procedure */
  readResult(reader: Reader): unknown;
}

function makeCodec(row: Procedure): ProcedureCodec {
  const required = row.params
    .filter((parameter) => parameter.of !== "file-in" && parameter.of !== "file-out")
    .map((parameter) => ({ name: camelCase(parameter.name), codec: parameterCodec(parameter) }));
  const optional = (row.optional ?? []).map((parameter, bit) => ({
    name: camelCase(parameter.name),
    codec: parameterCodec(parameter),
    unset: unsetValues[parameter.type],
    flag: 1n << BigInt(bit),
  }));
  const result = resultCodec(row.returns);

  function writeNamed(writer: Writer, name: string, value: ValueCodec, given: unknown): void {
    try {
      value.write(writer, given);
    } catch (error) {
      // To the caller a value that can't stand on the wire is a bad argument, not a fault of the conversation.
      const cause = error instanceof ProtocolError ? new TypeError(error.message, { cause: error }) : error;
      throw placedError(`${row.name}: ${name}`, cause);
    }
  }

  function readNamed(reader: Reader, name: string, value: ValueCodec): unknown {
    try {
      return value.read(reader);
    } catch (error) {
      throw placedError(`${row.name}: ${name}`, error);
    }
  }

  return {
    knownMask: (1n << BigInt(optional.length)) - 1n,
    optionalMask: (args) =>
      optional.reduce((mask, parameter) => (args[parameter.name] === undefined ? mask : mask | parameter.flag), 0n),
    writeArguments(writer, args) {
      for (const parameter of required) writeNamed(writer, parameter.name, parameter.codec, args[parameter.name]);
      for (const parameter of optional) {
        const given = args[parameter.name];
        writeNamed(writer, parameter.name, parameter.codec, given === undefined ? parameter.unset : given);
      }
    },
    readArguments(reader, optionalMask) {
      const args: Arguments = {};
      for (const parameter of required) args[parameter.name] = readNamed(reader, parameter.name, parameter.codec);
      for (const parameter of optional) {
        const isSet = (optionalMask & parameter.flag) !== 0n;
        if (reader.remaining === 0 && !isSet) continue;
        const value = readNamed(reader, parameter.name, parameter.codec);
        if (isSet) args[parameter.name] = value;
      }
      return args;
    },
    writeResult(writer, value) {
      try {
        result.write(writer, value);
      } catch (error) {
        throw placedError(`${row.name}: result`, error);
      }
    },
    readResult: (reader) => readNamed(reader, "result", result),
  };
}

const procedureCodecs = new Map<Procedure, ProcedureCodec>();

/** The codec of a row, made on first use. */
export function codecOf(row: Procedure): ProcedureCodec {
  let made = procedureCodecs.get(row);
  if (!made) {
    made = makeCodec(row);
    procedureCodecs.set(row, made);
  }
  return made;
}
