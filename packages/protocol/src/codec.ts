import { camelCase, structByName } from "@guestfs/schema";
import type { OptionalParameter, Parameter, Procedure, Result, Struct, StructField } from "@guestfs/schema";
import { ProtocolError } from "./errors.ts";
import { decodeText, encodeText } from "./text.ts";
import type { Reader } from "./xdr/reader.ts";
import type { Writer } from "./xdr/writer.ts";

/** How one kind of value is read and written. */
interface ValueCodec {
  write(writer: Writer, value: never): void;
  read(reader: Reader): unknown;
}

function codec<T>(write: (writer: Writer, value: T) => void, read: (reader: Reader) => T): ValueCodec {
  return { write, read };
}

const string = codec<string>(
  (writer, value) => writer.string(value),
  (reader) => reader.string(),
);
const bool = codec<boolean>(
  (writer, value) => writer.bool(value),
  (reader) => reader.bool(),
);
const int32 = codec<number>(
  (writer, value) => writer.int32(value),
  (reader) => reader.int32(),
);
const uint32 = codec<number>(
  (writer, value) => writer.uint32(value),
  (reader) => reader.uint32(),
);
const int64 = codec<number | bigint>(
  (writer, value) => writer.int64(value),
  (reader) => reader.int64(),
);
const uint64 = codec<number | bigint>(
  (writer, value) => writer.uint64(value),
  (reader) => reader.uint64(),
);
const wideInt64 = codec<bigint>(
  (writer, value) => writer.int64(value),
  (reader) => reader.wideInt64(),
);
const wideUint64 = codec<bigint>(
  (writer, value) => writer.uint64(value),
  (reader) => reader.wideUint64(),
);
const buffer = codec<Uint8Array>(
  (writer, value) => writer.opaque(value),
  // A copy: the frame's memory is used again for the next one.
  (reader) => reader.opaque().slice(),
);
const optionalString = codec<string | null>(
  (writer, value) => {
    writer.bool(value !== null);
    if (value !== null) writer.string(value);
  },
  (reader) => (reader.bool() ? reader.string() : null),
);
const stringList = listOf<string>(string, 4);
const char = codec<string>(
  (writer, value) => writer.int32(value.charCodeAt(0)),
  (reader) => String.fromCharCode(reader.int32() & 0xff),
);
const float32 = codec<number>(
  (writer, value) => writer.float32(value),
  (reader) => reader.float32(),
);
const uuid = codec<string>(
  (writer, value) => writer.fixed(encodeText(value), 32),
  (reader) => decodeText(reader.fixed(32)),
);
const nothing = codec<undefined>(
  () => undefined,
  () => undefined,
);

function listOf<T>(element: ValueCodec, elementMin: number): ValueCodec {
  return codec<readonly T[]>(
    (writer, values) => {
      writer.uint32(values.length);
      for (const value of values) element.write(writer, value as never);
    },
    (reader) => {
      const count = reader.count(elementMin);
      const values: T[] = [];
      for (let i = 0; i < count; i++) values.push(element.read(reader) as T);
      return values;
    },
  );
}

const hashtable = codec<Readonly<Record<string, string>>>(
  (writer, table) => {
    const entries = Object.entries(table);
    writer.uint32(entries.length * 2);
    for (const [key, value] of entries) {
      writer.string(key);
      writer.string(value);
    }
  },
  (reader) => {
    const count = reader.count(4);
    if (count % 2 !== 0) throw new ProtocolError(`a hashtable of ${count} strings`);
    // Without a prototype: the keys come from the peer.
    const table: Record<string, string> = Object.create(null) as Record<string, string>;
    for (let i = 0; i < count; i += 2) {
      const key = reader.string();
      table[key] = reader.string();
    }
    return table;
  },
);

function fieldCodec(field: StructField): ValueCodec {
  switch (field.type) {
    case "char":
      return char;
    case "string":
    case "device":
      return string;
    case "buffer":
      return buffer;
    case "int32":
      return int32;
    case "uint32":
      return uint32;
    case "int64":
    case "bytes":
      return field.wide ? wideInt64 : int64;
    case "uint64":
      return field.wide ? wideUint64 : uint64;
    case "uuid":
      return uuid;
    case "percent":
      return float32;
  }
}

/** Smallest number of bytes that a struct takes. */
function structMin(struct: Struct): number {
  return struct.fields.reduce((sum, field) => {
    if (field.type === "uuid") return sum + 32;
    return sum + (field.type.endsWith("64") || field.type === "bytes" ? 8 : 4);
  }, 0);
}

function structNamed(name: string): Struct {
  const struct = structByName.get(name);
  if (!struct) throw new TypeError(`no struct ${name} in the schema`);
  return struct;
}

const structCodecs = new Map<string, ValueCodec>();

function structCodec(name: string): ValueCodec {
  const known = structCodecs.get(name);
  if (known) return known;
  const fields = structNamed(name).fields.map((field) => ({ name: field.name, codec: fieldCodec(field) }));
  const made = codec<Record<string, unknown>>(
    (writer, value) => {
      for (const field of fields) field.codec.write(writer, value[field.name] as never);
    },
    (reader) => {
      const value: Record<string, unknown> = {};
      for (const field of fields) value[field.name] = field.codec.read(reader);
      return value;
    },
  );
  structCodecs.set(name, made);
  return made;
}

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
      return int64;
    case "buffer":
      return buffer;
    case "pointer":
      return wideInt64;
  }
}

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
      return int64;
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
      return listOf(structCodec(result.struct), structMin(structNamed(result.struct)));
  }
}

/** Arguments by their TypeScript names; files are not among them, they travel as chunks. */
export type Arguments = Record<string, unknown>;

/** The body of a procedure's calls and replies. Made once for each procedure, on first use. */
export interface ProcedureCodec {
  /** The mask that tells which optional arguments are set. */
  optionalMask(args: Arguments): bigint;
  /** Bits of the mask that the procedure knows. */
  readonly knownMask: bigint;
  /** @throws RangeError, TypeError or ProtocolError that names the parameter whose value does not fit */
  writeArguments(writer: Writer, args: Arguments): void;
  /** @throws ProtocolError when the bytes are no arguments of this procedure */
  readArguments(reader: Reader, optionalMask: bigint): Arguments;
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
      value.write(writer, given as never);
    } catch (error) {
      const Kind = error instanceof RangeError ? RangeError : TypeError;
      throw new Kind(`${row.name}: ${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }

  return {
    knownMask: (1n << BigInt(optional.length)) - 1n,
    optionalMask: (args) =>
      optional.reduce((mask, parameter) => (args[parameter.name] === undefined ? mask : mask | parameter.flag), 0n),
    writeArguments(writer, args) {
      for (const parameter of required) writeNamed(writer, parameter.name, parameter.codec, args[parameter.name]);
      for (const parameter of optional)
        writeNamed(writer, parameter.name, parameter.codec, args[parameter.name] ?? parameter.unset);
    },
    readArguments(reader, optionalMask) {
      const args: Arguments = {};
      for (const parameter of required) args[parameter.name] = parameter.codec.read(reader);
      for (const parameter of optional) {
        // A client that knows fewer optional arguments than we do ends its message early.
        if (reader.remaining === 0) break;
        const value = parameter.codec.read(reader);
        if ((optionalMask & parameter.flag) !== 0n) args[parameter.name] = value;
      }
      return args;
    },
    writeResult: (writer, value) => result.write(writer, value as never),
    readResult: (reader) => result.read(reader),
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

/** Appends one struct: the content of `readdir` and its kin is a run of them. */
export function writeStruct(writer: Writer, name: string, value: object): void {
  structCodec(name).write(writer, value as never);
}

/** Takes one struct. */
export function readStruct(reader: Reader, name: string): Record<string, unknown> {
  return structCodec(name).read(reader) as Record<string, unknown>;
}
