import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { procedureByName } from "@guestfs/schema";
import type { Procedure } from "@guestfs/schema";
import {
  bodyMax,
  codecOf,
  decodeProgress,
  decodeText,
  encodeErrorReply,
  encodeMessage,
  encodeProgress,
  errorMessageMax,
  FrameDecoder,
  messageMax,
  ProtocolError,
  readErrorBody,
  readHeader,
  Reader,
} from "./index.ts";
import type { ErrorBody, Header } from "./index.ts";

const call: Header = { procedure: 246, direction: "call", serial: 1, progressHint: 0, optionalMask: 0n, status: "ok" };
const write = codecOf(procedureByName.get("internal_write") as Procedure);

/** Header, length and text of "/f", length of the content. */
const aroundContent = 40 + 8 + 4;

function writeCall(length: number): Uint8Array {
  return encodeMessage(call, (writer) => write.writeArguments(writer, { path: "/f", content: new Uint8Array(length) }));
}

function readError(message: Uint8Array): ErrorBody {
  const reader = new Reader(message.subarray(4));
  assert.deepEqual(readHeader(reader), { ...call, direction: "reply", status: "error" });
  const body = readErrorBody(reader);
  assert.equal(reader.remaining, 0);
  return body;
}

describe("a message", () => {
  it("may be 4 MiB and not a byte more", () => {
    const largest = writeCall(messageMax - aroundContent);
    assert.equal(largest.length, 4 + messageMax);
    const decoder = new FrameDecoder();
    decoder.push(largest);
    const frame = decoder.next();
    assert.ok(frame?.type === "message");
    const reader = new Reader(frame.bytes);
    readHeader(reader);
    assert.equal(reader.remaining, bodyMax);
    const args = write.readArguments(reader, 0n);
    assert.equal((args["content"] as Uint8Array).length, messageMax - aroundContent);

    assert.throws(() => writeCall(messageMax - aroundContent + 1), {
      name: "ProtocolError",
      message: /4194308 bytes.*4194304/,
    });
  });

  it("has its length in front", () => {
    const message = writeCall(5);
    assert.equal(new Reader(message).uint32(), message.length - 4);
  });
});

describe("an error reply", () => {
  it("comes back as it was", () => {
    const error = { errno: "ENOENT", message: "open: /grün: No such file or directory" };
    assert.deepEqual(readError(encodeErrorReply(call, error)), error);
    assert.deepEqual(readError(encodeErrorReply(call, { errno: "", message: "" })), { errno: "", message: "" });
  });

  it("is cut at 65536 bytes, in the middle of a character if need be", () => {
    const long = `x${"ü".repeat(errorMessageMax)}`;
    const { message } = readError(encodeErrorReply(call, { errno: "EINVAL", message: long }));
    assert.equal(message, `x${"ü".repeat(errorMessageMax / 2 - 1)}\udcc3`);
  });

  it("shows NUL rather than end there", () => {
    assert.equal(readError(encodeErrorReply(call, { errno: "", message: "a\0b" })).message, "a\\0b");
  });

  it("keeps the bytes of a name that is not UTF-8", () => {
    const message = `${decodeText(Uint8Array.of(0x2f, 0xff))}: not found`;
    assert.equal(readError(encodeErrorReply(call, { errno: "", message })).message, message);
  });

  it("with a longer name or message than the protocol allows is refused", () => {
    const bytes = new Uint8Array(80_000);
    new DataView(bytes.buffer).setUint32(0, 33);
    assert.throws(() => readErrorBody(new Reader(bytes)), ProtocolError);
    new DataView(bytes.buffer).setUint32(0, 0);
    new DataView(bytes.buffer).setUint32(4, errorMessageMax + 1);
    assert.throws(() => readErrorBody(new Reader(bytes)), ProtocolError);
  });

  it("is a value or a ProtocolError whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          readErrorBody(new Reader(bytes));
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      }),
    );
  });
});

describe("a progress message", () => {
  it("is a flag and 24 bytes, and comes back as it was", () => {
    const progress = fc.record(
      {
        procedure: fc.integer(),
        serial: fc.nat(0xffffffff),
        position: fc.maxSafeNat(),
        total: fc.maxSafeNat(),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(progress, (given) => {
        const bytes = encodeProgress(given);
        assert.equal(bytes.length, 28);
        assert.equal(new Reader(bytes).uint32(), 0xffff5555);
        assert.deepEqual(decodeProgress(bytes.subarray(4)), given);
      }),
    );
  });
});
