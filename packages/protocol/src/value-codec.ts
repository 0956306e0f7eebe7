import { ProtocolError } from "./errors.ts";
import { placedError } from "./placed-error.ts";
import { decodeText, encodeText } from "./text.ts";
import type { Reader } from "./xdr/reader.ts";
import type { Writer } from "./xdr/writer.ts";

/** How one kind of value is read and written. */
export interface ValueCodec {
  /** @throws TypeError or RangeError when the value is not of the kind; ProtocolError when it can't stand on the wire */
  readonly write: (writer: Writer, value: unknown) => void;
  /** @throws ProtocolError when the bytes are no such value */
  readonly read: (reader: Reader) => unknown;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function wanted(what: string, value: unknown): TypeError {
  return new TypeError(`${what} is wanted, not ${kindOf(value)}`);
}

function codec<T>(
  is: (value: unknown) => value is T,
  what: string,
  write: (writer: Writer, value: T) => void,
  read: (reader: Reader) => unknown,
): ValueCodec {
  return {
    write(writer, value) {
      if (!is(value)) throw wanted(what, value);
      write(writer, value);
    },
    read,
  };
}

const isString = (value: unknown): value is string => typeof value === "string";
const isBoolean = (value: unknown): value is boolean => typeof value === "boolean";
const isNumber = (value: unknown): value is number => typeof value === "number";
const isInteger = (value: unknown): value is number | bigint => typeof value === "number" || typeof value === "bigint";
const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;
const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Text without NUL. */
export const string: ValueCodec = codec(
  isString,
  "a string",
  (writer, value) => writer.string(value),
  (reader) => reader.string(),
);

/** A truth value in 4 bytes. */
export const bool: ValueCodec = codec(
  isBoolean,
  "a boolean",
  (writer, value) => writer.bool(value),
  (reader) => reader.bool(),
);

/** A signed integer of 32 bits. */
export const int32: ValueCodec = codec(
  isNumber,
  "a number",
  (writer, value) => writer.int32(value),
  (reader) => reader.int32(),
);

/** An unsigned integer of 32 bits. */
export const uint32: ValueCodec = codec(
  isNumber,
  "a number",
  (writer, value) => writer.uint32(value),
  (reader) => reader.uint32(),
);

/** A signed integer of 64 bits, read as a number. */
export const int64: ValueCodec = codec(
  isInteger,
  "a number or bigint",
  (writer, value) => writer.int64(value),
  (reader) => reader.int64(),
);

/** An unsigned integer of 64 bits, read as a number. */
export const uint64: ValueCodec = codec(
  isInteger,
  "a number or bigint",
  (writer, value) => writer.uint64(value),
  (reader) => reader.uint64(),
);

/** A signed integer of 64 bits, read as a bigint. */
export const wideInt64: ValueCodec = { write: int64.write, read: (reader) => reader.wideInt64() };

/** An unsigned integer of 64 bits, read as a bigint. */
export const wideUint64: ValueCodec = { write: uint64.write, read: (reader) => reader.wideUint64() };

/** A 32-bit float. */
export const float32: ValueCodec = codec(
  isNumber,
  "a number",
  (writer, value) => writer.float32(value),
  (reader) => reader.float32(),
);

/** Bytes. */
export const buffer: ValueCodec = codec(
  isBytes,
  "a Uint8Array",
  (writer, value) => writer.opaque(value),
  // A copy: the frame's memory is used again for the next one.
  (reader) => new Uint8Array(reader.opaque()),
);

/** Text or `null`. */
export const optionalString: ValueCodec = {
  write(writer, value) {
    if (value !== null && !isString(value)) throw wanted("a string or null", value);
    writer.bool(value !== null);
    if (value !== null) writer.string(value);
  },
  read: (reader) => (reader.bool() ? reader.string() : null),
};

/** One byte as a character, U+0000 to U+00FF; the wire has it sign-extended, as a C `char`. */
export const char: ValueCodec = codec(
  isString,
  "a string",
  (writer, value) => {
    const code = value.length === 1 ? value.charCodeAt(0) : Number.NaN;
    if (!(code <= 0xff)) throw new RangeError(`"${value}" is not one character up to U+00FF`);
    writer.int32((code << 24) >> 24);
  },
  (reader) => String.fromCharCode(reader.int32() & 0xff),
);

/** 32 bytes without a length; shorter text is filled up with NUL, which is taken off again. */
export const uuid: ValueCodec = codec(
  isString,
  "a string",
  (writer, value) => writer.fixed(encodeText(value), 32),
  (reader) => {
    const bytes = reader.fixed(32);
    let end = 32;
    while (end > 0 && bytes[end - 1] === 0) end -= 1;
    return decodeText(bytes.subarray(0, end));
  },
);

/** No bytes at all. */
export const nothing: ValueCodec = { write: () => undefined, read: () => undefined };

/**
 * A count and as many elements.
 * @param elementMin - bytes that an element takes at least: no count that can't be true is believed
 */
export function listOf(element: ValueCodec, elementMin: number): ValueCodec {
  return {
    write(writer, values) {
      if (!Array.isArray(values)) throw wanted("an array", values);
      writer.uint32(values.length);
      let at = 0;
      try {
        for (; at < values.length; at++) element.write(writer, values[at]);
      } catch (error) {
        throw placedError(`[${at}]`, error);
      }
    },
    read(reader) {
      const count = reader.count(elementMin);
      const values: unknown[] = [];
      try {
        while (values.length < count) values.push(element.read(reader));
      } catch (error) {
        throw placedError(`[${values.length}]`, error);
      }
      return values;
    },
  };
}

/** A list of texts. */
export const stringList: ValueCodec = listOf(string, 4);

/** Keys and values in turn, as an object without a prototype: the keys come from the peer. */
export const hashtable: ValueCodec = codec(
  isObject,
  "an object",
  (writer, table) => {
    const entries = Object.entries(table);
    writer.uint32(entries.length * 2);
    for (const [key, value] of entries) {
      try {
        string.write(writer, key);
        string.write(writer, value);
      } catch (error) {
        throw placedError(key, error);
      }
    }
  },
  (reader) => {
    const count = reader.count(4);
    if (count % 2 !== 0) throw new ProtocolError(`a hashtable of ${count} strings`);
    const table = Object.create(null) as Record<string, string>;
    for (let at = 0; at < count; at += 2) {
      const key = reader.string();
      table[key] = reader.string();
    }
    return table;
  },
);
