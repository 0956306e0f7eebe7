import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { headerSize, ProtocolError, readHeader, Reader, writeHeader, Writer } from "./index.ts";
import type { Header } from "./index.ts";

const call: Header = {
  procedure: 1,
  direction: "call",
  serial: 0x123400,
  progressHint: 0,
  optionalMask: 0n,
  status: "ok",
};

function bytesOf(header: Header): Uint8Array {
  const writer = new Writer();
  writeHeader(writer, header);
  return writer.bytes();
}

function withWord(at: number, value: number): Reader {
  const bytes = bytesOf(call).slice();
  new DataView(bytes.buffer).setUint32(at, value);
  return new Reader(bytes);
}

describe("the header", () => {
  it("is 40 bytes of program, version, procedure, direction, serial, hint, mask and status", () => {
    const bytes = bytesOf({
      procedure: 246,
      direction: "reply",
      serial: 7,
      progressHint: 8,
      optionalMask: 9n,
      status: "error",
    });
    assert.equal(
      Buffer.from(bytes).toString("hex"),
      "2000f5f5" +
        "00000004" +
        "000000f6" +
        "00000001" +
        "00000007" +
        "0000000000000008" +
        "0000000000000009" +
        "00000001",
    );
    assert.equal(bytes.length, headerSize);
  });

  it("comes back as it was", () => {
    const header = fc.record<Header>(
      {
        procedure: fc.integer(),
        direction: fc.constantFrom("call", "reply"),
        serial: fc.nat(0xffffffff),
        progressHint: fc.maxSafeNat(),
        optionalMask: fc.bigInt(0n, 2n ** 64n - 1n),
        status: fc.constantFrom("ok", "error"),
      },
      { noNullPrototype: true },
    );
    fc.assert(fc.property(header, (given) => assert.deepEqual(readHeader(new Reader(bytesOf(given))), given)));
  });

  it("names the word that is not of this protocol", () => {
    assert.throws(() => readHeader(withWord(0, 0x2000f5f4)), { name: "ProtocolError", message: /program.*0x2000f5f4/ });
    assert.throws(() => readHeader(withWord(4, 5)), { name: "ProtocolError", message: /version.*5/ });
    assert.throws(() => readHeader(withWord(12, 2)), { name: "ProtocolError", message: /direction.*2/ });
    assert.throws(() => readHeader(withWord(36, 2)), { name: "ProtocolError", message: /status.*2/ });
  });

  it("takes a hint that no number holds for none", () => {
    assert.equal(readHeader(withWord(20, 0xffffffff)).progressHint, 0);
  });

  it("is a value or a ProtocolError whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 44 }), (bytes) => {
        try {
          readHeader(new Reader(bytes));
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      }),
    );
  });
});
