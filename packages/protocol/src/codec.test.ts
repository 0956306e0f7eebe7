import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { camelCase, procedureByName, procedures, structByName, structs } from "@guestfs/schema";
import type { OptionalParameter, Parameter, Procedure, Result, Struct, StructField } from "@guestfs/schema";
import { bodyMax, codecOf, decodeText, ProtocolError, Reader, readStruct, Writer, writeStruct } from "./index.ts";
import type { Arguments } from "./index.ts";

// Names in a guest are bytes: text of every kind, broken UTF-8 included, but without NUL.
const text = fc
  .oneof(
    fc.string({ maxLength: 20 }),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => decodeText(bytes.filter((byte) => byte !== 0))),
  )
  .map((value) => value.replaceAll("\0", ""));
const texts = fc.array(text, { maxLength: 6 });
const bytes = fc.uint8Array({ maxLength: 40 });
const int64 = fc.maxSafeInteger();
const wide = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);

function parameterValue(parameter: Parameter | OptionalParameter): fc.Arbitrary<unknown> {
  switch (parameter.type) {
    case "string":
      return text;
    case "optional-string":
      return fc.option(text);
    case "string-list":
      return texts;
    case "bool":
      return fc.boolean();
    case "int":
      return fc.integer();
    case "int64":
      return "wide" in parameter && parameter.wide ? wide : int64;
    case "buffer":
      return bytes;
    case "pointer":
      return wide;
  }
}

function columnValue(field: StructField): fc.Arbitrary<unknown> {
  switch (field.type) {
    case "char":
      return fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
    case "string":
    case "device":
      return text;
    case "buffer":
      return bytes;
    case "int32":
      return fc.integer();
    case "uint32":
      return fc.nat(0xffffffff);
    case "int64":
    case "bytes":
      return field.wide ? wide : int64;
    case "uint64":
      return field.wide ? fc.bigInt(0n, 2n ** 64n - 1n) : fc.maxSafeNat();
    case "uuid":
      return fc.string({ minLength: 32, maxLength: 32, unit: fc.constantFrom("0", "9", "a", "Z") });
    case "percent":
      return fc.oneof(fc.constant(-1), fc.float({ min: 0, max: 100, noNaN: true }));
  }
}

function structValue(struct: Struct): fc.Arbitrary<Record<string, unknown>> {
  const columns = struct.fields.map((field) => [field.name, columnValue(field)] as const);
  return fc.record(Object.fromEntries(columns), { noNullPrototype: true });
}

function resultValue(result: Result): fc.Arbitrary<unknown> {
  switch (result.type) {
    case "none":
      return fc.constant(undefined);
    case "bool":
      return fc.boolean();
    case "int":
      return fc.integer();
    case "int64":
      return result.wide ? wide : int64;
    case "buffer":
      return bytes;
    case "string":
    case "const-string":
      return text;
    case "const-optional-string":
      return fc.option(text);
    case "string-list":
      return texts;
    case "hashtable":
      return fc
        .dictionary(text, text, { maxKeys: 6, noNullPrototype: false })
        .map((table) => Object.assign(Object.create(null), table));
    case "struct":
      return structValue(structByName.get(result.struct) as Struct);
    case "struct-list":
      return fc.array(structValue(structByName.get(result.struct) as Struct), { maxLength: 4 });
  }
}

function argumentsOf(row: Procedure): fc.Arbitrary<Arguments> {
  const required = row.params.filter((parameter) => parameter.of !== "file-in" && parameter.of !== "file-out");
  const optional = row.optional ?? [];
  const values = [...required, ...optional].map(
    (parameter) => [camelCase(parameter.name), parameterValue(parameter)] as const,
  );
  return fc.record(Object.fromEntries(values), {
    requiredKeys: required.map((parameter) => camelCase(parameter.name)),
  });
}

function written(write: (writer: Writer) => void): Uint8Array {
  const writer = new Writer();
  write(writer);
  return writer.bytes().slice();
}

function row(name: string): Procedure {
  return procedureByName.get(name) as Procedure;
}

const onTheWire = procedures.filter((procedure) => procedure.proc !== undefined);
const few = { numRuns: 20 };

/** A read of bytes that anyone may have sent. */
function assertValueOrProtocolError(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof ProtocolError, String(error));
  }
}

describe("every procedure", () => {
  for (const procedure of onTheWire)
    it(`${procedure.name}: arguments and result come back as they were`, () => {
      const codec = codecOf(procedure);
      fc.assert(
        fc.property(argumentsOf(procedure), (args) => {
          const mask = codec.optionalMask(args);
          const reader = new Reader(written((writer) => codec.writeArguments(writer, args)));
          assert.deepEqual({ ...codec.readArguments(reader, mask) }, { ...args });
          assert.equal(reader.remaining, 0);
          assert.equal(mask & ~codec.knownMask, 0n);
        }),
        few,
      );
      fc.assert(
        fc.property(resultValue(procedure.returns), (result) => {
          const reader = new Reader(written((writer) => codec.writeResult(writer, result)));
          assert.deepEqual(codec.readResult(reader), result);
          assert.equal(reader.remaining, 0);
        }),
        few,
      );
    });

  it("takes any bytes for a value or throws a ProtocolError", () => {
    const word = fc.constantFrom(0, 1, 2, 3, 4, 32, 0xffff, 0x7fffffff, 0xfffffffc, 0xffffffff);
    const words = fc
      .array(word, { maxLength: 24 })
      .map((values) => new Uint8Array(written((writer) => values.forEach((value) => writer.uint32(value)))));
    const hostile = fc.oneof(words, fc.uint8Array({ maxLength: 96 }));
    for (const procedure of onTheWire) {
      const codec = codecOf(procedure);
      fc.assert(
        fc.property(hostile, fc.bigInt(0n, 2n ** 64n - 1n), (given, mask) => {
          assertValueOrProtocolError(() => codec.readArguments(new Reader(given), mask));
          assertValueOrProtocolError(() => codec.readResult(new Reader(given)));
        }),
        few,
      );
    }
  });

  it("names the parameter that cut bytes leave without a value", () => {
    for (const procedure of onTheWire) {
      const codec = codecOf(procedure);
      const [first] = procedure.params.filter((parameter) => parameter.of !== "file-in" && parameter.of !== "file-out");
      if (first === undefined) continue;
      assert.throws(() => codec.readArguments(new Reader(new Uint8Array(0)), 0n), {
        name: "ProtocolError",
        message: new RegExp(`^${procedure.name}: ${camelCase(first.name)}: `),
      });
    }
  });
});

describe("structs", () => {
  for (const struct of structs)
    it(`${struct.name} comes back as it was, one after the other`, () => {
      fc.assert(
        fc.property(fc.array(structValue(struct), { maxLength: 3 }), (values) => {
          const reader = new Reader(
            written((writer) => values.forEach((value) => writeStruct(writer, struct.name, value))),
          );
          assert.deepEqual(
            values.map(() => readStruct(reader, struct.name)),
            values,
          );
          assert.equal(reader.remaining, 0);
        }),
        few,
      );
    });

  it("that the schema does not have are a TypeError", () => {
    assert.throws(() => readStruct(new Reader(new Uint8Array(0)), "no_such"), TypeError);
  });

  it("name the column whose value does not fit", () => {
    const dirent = { ino: 1, ftyp: "r", name: "f" };
    const write = (value: object) => (): void => writeStruct(new Writer(), "dirent", value);
    assert.throws(write({ ...dirent, ino: "1" }), {
      name: "TypeError",
      message: "ino: a number or bigint is wanted, not a string",
    });
    assert.throws(write({ ...dirent, ftyp: "rr" }), { name: "RangeError", message: /^ftyp: / });
    assert.throws(write({ ...dirent, name: undefined }), {
      name: "TypeError",
      message: /^name: a string is wanted, not undefined/,
    });
    assert.throws(() => readStruct(new Reader(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1)), "dirent"), {
      name: "ProtocolError",
      message: /^ftyp: /,
    });
  });

  it("write a char sign-extended, as C does", () => {
    const bytesOf = (ftyp: string): string =>
      Buffer.from(written((writer) => writeStruct(writer, "dirent", { ino: 0, ftyp, name: "" }))).toString(
        "hex",
        8,
        12,
      );
    assert.equal(bytesOf("d"), "00000064");
    assert.equal(bytesOf("\u00ff"), "ffffffff");
  });
});

describe("bad arguments", () => {
  const write = (name: string, args: Arguments) => (): void => codecOf(row(name)).writeArguments(new Writer(), args);

  it("are errors that name the procedure and the parameter", () => {
    assert.throws(write("mount", { mountable: "/dev/sda1" }), {
      name: "TypeError",
      message: "mount: mountpoint: a string is wanted, not undefined",
    });
    assert.throws(write("chmod", { mode: "0644", path: "/f" }), {
      name: "TypeError",
      message: /^chmod: mode: a number is wanted/,
    });
    assert.throws(write("chmod", { mode: 2 ** 31, path: "/f" }), {
      name: "RangeError",
      message: /^chmod: mode: 2147483648/,
    });
    assert.throws(write("truncate_size", { path: "/f", size: 0.5 }), {
      name: "RangeError",
      message: /^truncate_size: size: /,
    });
    assert.throws(write("truncate_size", { path: "/f", size: "5" }), {
      name: "TypeError",
      message: /a number or bigint/,
    });
    assert.throws(write("truncate_size", { path: "/f", size: 2n ** 63n }), RangeError);
    assert.throws(write("touch", { path: "/a\0b" }), { name: "TypeError", message: /^touch: path: .*NUL/ });
    assert.throws(write("internal_write", { path: "/f", content: "text" }), {
      name: "TypeError",
      message: /content: a Uint8Array/,
    });
    assert.throws(write("echo_daemon", { words: ["a", 5] }), {
      name: "TypeError",
      message: "echo_daemon: words: [1]: a string is wanted, not a number",
    });
    assert.throws(write("echo_daemon", { words: "a b" }), { name: "TypeError", message: /words: an array is wanted/ });
    assert.throws(write("copy_attributes", { src: "/a", dest: "/b", all: 1 }), {
      name: "TypeError",
      message: /all: a boolean/,
    });
    assert.throws(write("copy_attributes", { src: "/a", dest: "/b", all: null }), {
      name: "TypeError",
      message: /all: a boolean.*not null/,
    });
    assert.throws(write("aug_defvar", { name: "x" }), {
      name: "TypeError",
      message: /expr: a string or null is wanted, not undefined/,
    });
  });

  it("in a result are named too", () => {
    const writeResult = (name: string, value: unknown) => (): void =>
      codecOf(row(name)).writeResult(new Writer(), value);
    assert.throws(writeResult("umask", "022"), {
      name: "TypeError",
      message: "umask: result: a number is wanted, not a string",
    });
    assert.throws(writeResult("mountpoints", { "/dev/sda": 1 }), {
      name: "TypeError",
      message: /^mountpoints: result: \/dev\/sda: /,
    });
    assert.throws(writeResult("part_list", [{ part_num: 1 }]), {
      name: "TypeError",
      message: /result: \[0\]: part_start: /,
    });
    assert.throws(writeResult("lvs", undefined), { name: "TypeError", message: /an array is wanted/ });
    assert.throws(writeResult("statvfs", null), { name: "TypeError", message: /a struct statvfs is wanted/ });
    assert.throws(writeResult("vfs_label", "a\0b"), { name: "ProtocolError", message: /^vfs_label: result: / });
  });
});

describe("optional arguments", () => {
  const codec = codecOf(row("copy_file_to_file"));

  it("have their place in the list as their bit", () => {
    assert.equal(codec.optionalMask({ src: "/a", dest: "/b" }), 0n);
    assert.equal(codec.optionalMask({ srcoffset: 1 }), 1n);
    assert.equal(codec.optionalMask({ size: 0, append: false }), 0b10100n);
    assert.equal(codec.optionalMask({ size: undefined }), 0n);
    assert.equal(codec.knownMask, 0b11111n);
  });

  it("that are not set stand as nothing on the wire and are not in the arguments", () => {
    const args = { src: "/a", dest: "/b", size: 5 };
    const bytesOf = written((writer) => codec.writeArguments(writer, args));
    assert.equal(bytesOf.length, 8 + 8 + 8 + 8 + 8 + 4 + 4);
    assert.deepEqual(codec.readArguments(new Reader(bytesOf), codec.optionalMask(args)), args);
    assert.deepEqual(codec.readArguments(new Reader(bytesOf), 0n), { src: "/a", dest: "/b" });
  });

  it("at the end may be missing when a client does not know them, but not when the mask names them", () => {
    const bytesOf = written((writer) => {
      writer.string("/a");
      writer.string("/b");
      writer.int64(7);
    });
    assert.deepEqual(codec.readArguments(new Reader(bytesOf), 1n), { src: "/a", dest: "/b", srcoffset: 7 });
    assert.throws(() => codec.readArguments(new Reader(bytesOf), 0b10001n), {
      name: "ProtocolError",
      message: /^copy_file_to_file: append: /,
    });
  });
});

describe("results", () => {
  it("take memory in proportion to the message, whatever its counts say", () => {
    const claims = written((writer) => {
      writer.uint32(0x3fffffff);
      writer.uint32(0);
    });
    for (const name of ["lvs", "mountpoints", "part_list", "internal_lxattrlist", "lvs_full"])
      assert.throws(() => codecOf(row(name)).readResult(new Reader(claims)), ProtocolError, name);
  });

  it("of a whole message hold as many elements as it has room for, and no more", () => {
    const message = new Uint8Array(bodyMax);
    for (const [name, size] of [
      ["lvs", 4],
      ["retired_readdir", 16],
      ["internal_lxattrlist", 8],
    ] as const) {
      const most = Math.floor((bodyMax - 4) / size);
      const view = new DataView(message.buffer);
      const codec = codecOf(row(name));
      view.setUint32(0, most);
      assert.equal((codec.readResult(new Reader(message)) as unknown[]).length, most, name);
      view.setUint32(0, most + 1);
      assert.throws(() => codec.readResult(new Reader(message)), ProtocolError, name);
    }
  });

  it("of a hashtable have no prototype, and an odd number of strings is refused", () => {
    const codec = codecOf(row("mountpoints"));
    const table = JSON.parse('{"__proto__":"/","constructor":"/x"}') as Record<string, string>;
    const read = codec.readResult(new Reader(written((writer) => codec.writeResult(writer, table)))) as Record<
      string,
      string
    >;
    assert.equal(Object.getPrototypeOf(read), null);
    assert.deepEqual(Object.entries(read), Object.entries(table));
    const odd = written((writer) => {
      writer.uint32(1);
      writer.string("k");
    });
    assert.throws(() => codec.readResult(new Reader(odd)), { name: "ProtocolError", message: /hashtable of 1/ });
  });

  it("of bytes do not change when the message's memory is used again", () => {
    const message = Buffer.from(written((writer) => writer.opaque(Uint8Array.of(1, 2, 3, 4))));
    const read = codecOf(row("pread")).readResult(new Reader(message)) as Uint8Array;
    message.fill(0xff);
    assert.deepEqual(read, Uint8Array.of(1, 2, 3, 4));
  });

  it("keep all 64 bits of what uses them", () => {
    const codec = codecOf(row("part_get_gpt_attributes"));
    const attributes = -(2n ** 63n) + 1n;
    assert.equal(codec.readResult(new Reader(written((writer) => codec.writeResult(writer, attributes)))), attributes);
  });

  it("of a short UUID are filled up with NUL on the wire only", () => {
    const struct = structByName.get("lvm_vg") as Struct;
    const value = Object.fromEntries(
      struct.fields.map((field) => [field.name, field.type === "string" || field.type === "uuid" ? "ab" : 0]),
    );
    const reader = new Reader(written((writer) => writeStruct(writer, "lvm_vg", value)));
    assert.equal(readStruct(reader, "lvm_vg")["vg_uuid"], "ab");
  });
});
