import { structByName } from "@guestfs/schema";
import type { Struct, StructField } from "@guestfs/schema";
import { placedError } from "./placed-error.ts";
import {
  buffer,
  char,
  float32,
  int32,
  int64,
  listOf,
  string,
  uint32,
  uint64,
  uuid,
  wideInt64,
  wideUint64,
} from "./value-codec.ts";
import type { ValueCodec } from "./value-codec.ts";
import type { Reader } from "./xdr/reader.ts";
import type { Writer } from "./xdr/writer.ts";

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

function makeStructCodec(struct: Struct): ValueCodec {
  const fields = struct.fields.map((field) => ({ name: field.name, codec: fieldCodec(field) }));
  return {
    write(writer, value) {
      if (typeof value !== "object" || value === null)
        throw new TypeError(`a struct ${struct.name} is wanted, not ${typeof value}`);
      const columns = value as Record<string, unknown>;
      let name = "";
      try {
        for (const field of fields) {
          name = field.name;
          field.codec.write(writer, columns[name]);
        }
      } catch (error) {
        throw placedError(name, error);
      }
    },
    read(reader) {
      const value: Record<string, unknown> = {};
      let name = "";
      try {
        for (const field of fields) {
          name = field.name;
          value[name] = field.codec.read(reader);
        }
      } catch (error) {
        throw placedError(name, error);
      }
      return value;
    },
  };
}

const structCodecs = new Map<string, ValueCodec>();

/** The codec of a struct, made on first use. */
export function structCodec(name: string): ValueCodec {
  let made = structCodecs.get(name);
  if (!made) {
    made = makeStructCodec(structNamed(name));
    structCodecs.set(name, made);
  }
  return made;
}

/** The codec of a list of structs. */
export function structListCodec(name: string): ValueCodec {
  return listOf(structCodec(name), structMin(structNamed(name)));
}

/**
 * Appends one struct: the content of `readdir` and its kin is a run of them.
 * @param name - the struct's name in the schema
 * @throws TypeError, RangeError or ProtocolError that names the column whose value does not fit
 */
export function writeStruct(writer: Writer, name: string, value: object): void {
  structCodec(name).write(writer, value);
}

/**
 * Takes one struct.
 * @param name - the struct's name in the schema
 * @throws ProtocolError that names the column when the bytes are no such struct
 */
export function readStruct(reader: Reader, name: string): Record<string, unknown> {
  return structCodec(name).read(reader) as Record<string, unknown>;
}
