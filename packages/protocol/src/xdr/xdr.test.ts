import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { ProtocolError } from "../errors.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

function written(write: (writer: Writer) => void): Uint8Array {
  const writer = new Writer(1);
  write(writer);
  return writer.bytes().slice();
}

function hex(write: (writer: Writer) => void): string {
  return Buffer.from(written(write)).toString("hex");
}

function reader(text: string): Reader {
  return new Reader(Buffer.from(text, "hex"));
}

describe("Writer", () => {
  it("writes big-endian, padded to 4 bytes", () => {
    assert.equal(
      hex((w) => w.uint32(0xf5f55ff5)),
      "f5f55ff5",
    );
    assert.equal(
      hex((w) => w.int32(-2)),
      "fffffffe",
    );
    assert.equal(
      hex((w) => w.int64(-2)),
      "fffffffffffffffe",
    );
    assert.equal(
      hex((w) => w.uint64(0xffffffffffffffffn)),
      "ffffffffffffffff",
    );
    assert.equal(
      hex((w) => w.float32(-1)),
      "bf800000",
    );
    assert.equal(
      hex((w) => w.bool(true)),
      "00000001",
    );
    assert.equal(
      hex((w) => w.string("")),
      "00000000",
    );
    assert.equal(
      hex((w) => w.string("abcde")),
      "000000056162636465000000",
    );
    assert.equal(
      hex((w) => w.opaque(Uint8Array.of(1, 0, 2, 0))),
      "0000000401000200",
    );
    assert.equal(
      hex((w) => w.fixed(Uint8Array.of(1), 5)),
      "0100000000000000",
    );
  });

  it("refuses what does not fit", () => {
    const writer = new Writer();
    for (const value of [-1, 2 ** 32, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
      assert.throws(() => writer.uint32(value), RangeError);
    for (const value of [-(2 ** 31) - 1, 2 ** 31, 1.5]) assert.throws(() => writer.int32(value), RangeError);
    for (const value of [2 ** 53, -(2 ** 53), 0.5, 2n ** 63n, -(2n ** 63n) - 1n])
      assert.throws(() => writer.int64(value), RangeError);
    for (const value of [-1, -1n, 2n ** 64n, 2 ** 53]) assert.throws(() => writer.uint64(value), RangeError);
    assert.throws(() => writer.fixed(new Uint8Array(33), 32), RangeError);
    assert.equal(writer.length, 0);
  });

  it("refuses NUL in text, short and long", () => {
    const writer = new Writer();
    assert.throws(() => writer.string("a\0b"), ProtocolError);
    assert.throws(() => writer.string(`${"x".repeat(100)}\0`), ProtocolError);
    assert.equal(writer.length, 0);
  });

  it("leaves zeros in the padding although its memory grew", () => {
    const bytes = written((w) => {
      for (let i = 0; i < 300; i++) w.opaque(Uint8Array.of(0xff));
    });
    for (let at = 0; at < bytes.length; at += 8)
      assert.equal(Buffer.from(bytes.subarray(at, at + 8)).toString("hex"), "00000001ff000000");
  });

  it("patches a word written before", () => {
    const bytes = written((w) => {
      w.uint32(0);
      w.string("x".repeat(1000));
      w.patchUint32(0, w.length);
    });
    assert.equal(new Reader(bytes).uint32(), bytes.length);
  });
});

describe("Reader", () => {
  it("reads back what Writer wrote, with nothing left over", () => {
    const value = fc.oneof(
      fc.record({ type: fc.constant("int32" as const), value: fc.integer() }),
      fc.record({ type: fc.constant("uint32" as const), value: fc.nat(0xffffffff) }),
      fc.record({ type: fc.constant("int64" as const), value: fc.maxSafeInteger() }),
      fc.record({ type: fc.constant("uint64" as const), value: fc.maxSafeNat() }),
      fc.record({ type: fc.constant("wideInt64" as const), value: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) }),
      fc.record({ type: fc.constant("wideUint64" as const), value: fc.bigInt(0n, 2n ** 64n - 1n) }),
      fc.record({ type: fc.constant("float32" as const), value: fc.float() }),
      fc.record({ type: fc.constant("bool" as const), value: fc.boolean() }),
      fc.record({
        type: fc.constant("string" as const),
        value: fc.string({ unit: "binary", maxLength: 80 }).map((text) => text.replaceAll("\0", "")),
      }),
      fc.record({ type: fc.constant("opaque" as const), value: fc.uint8Array({ maxLength: 80 }) }),
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 30 }), (values) => {
        const bytes = written((writer) => {
          for (const { type, value: given } of values) {
            if (type === "wideInt64") writer.int64(given);
            else if (type === "wideUint64") writer.uint64(given);
            else writer[type](given as never);
          }
        });
        assert.equal(bytes.length % 4, 0);
        const source = new Reader(bytes);
        for (const { type, value: given } of values) assert.deepEqual(source[type](), given, type);
        assert.equal(source.remaining, 0);
      }),
    );
  });

  it("throws a ProtocolError at the end, and does not move", () => {
    const source = reader("000000");
    const reads = ["uint32", "int32", "int64", "uint64", "wideInt64", "float32", "bool", "string", "opaque"] as const;
    for (const read of reads) assert.throws(() => source[read](), ProtocolError, read);
    assert.throws(() => source.fixed(4), ProtocolError);
    assert.equal(source.remaining, 3);
  });

  it("wants the padding to be there", () => {
    assert.throws(() => reader("00000001ff0000").opaque(), ProtocolError);
    assert.deepEqual(reader("00000001ff000000").opaque(), Buffer.of(0xff));
  });

  it("throws where a number would not be exact", () => {
    assert.throws(() => reader("0020000000000000").int64(), /9007199254740992 is beyond/);
    assert.throws(() => reader("ffffffffffffffff").uint64(), ProtocolError);
    assert.equal(reader("001fffffffffffff").int64(), Number.MAX_SAFE_INTEGER);
    assert.equal(reader("ffe0000000000001").int64(), Number.MIN_SAFE_INTEGER);
  });

  it("cuts text at NUL and takes any word but 0 for true", () => {
    assert.equal(reader("0000000461006200").string(), "a");
    assert.equal(reader("80000000").bool(), true);
  });

  it("does not believe a length or a count that can't be true", () => {
    assert.throws(() => reader("ffffffff").opaque(), ProtocolError);
    assert.throws(() => reader("fffffffd00000000").string(), ProtocolError);
    assert.throws(() => reader("ffffffff00000000").count(4), ProtocolError);
    assert.throws(() => reader("00000002000000000").count(4), ProtocolError);
    assert.equal(reader("0000000100000000").count(4), 1);
    assert.throws(() => reader("0000000561626364650000").string(4), /5 bytes where at most 4/);
  });

  it("reads at an offset of a larger buffer", () => {
    const inner = Buffer.from("ffffffff00000007", "hex").subarray(4);
    assert.equal(new Reader(inner).uint32(), 7);
  });
});
