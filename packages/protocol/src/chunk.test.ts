import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import {
  chunkMax,
  chunkPrefixSize,
  decodeChunk,
  encodeChunk,
  extendedChunkMax,
  FrameDecoder,
  ProtocolError,
  writeChunkPrefix,
} from "./index.ts";
import type { Chunk } from "./index.ts";

function frameOf(chunk: Chunk): Uint8Array {
  const decoder = new FrameDecoder();
  decoder.push(encodeChunk(chunk));
  const frame = decoder.next();
  assert.ok(frame?.type === "message");
  assert.equal(decoder.buffered, 0);
  return frame.bytes;
}

function hex(chunk: Chunk): string {
  return Buffer.from(encodeChunk(chunk)).toString("hex");
}

describe("a chunk", () => {
  it("is a length word, a cancel word and padded data", () => {
    assert.equal(hex({ type: "end" }), "000000080000000000000000");
    assert.equal(hex({ type: "cancel" }), "000000080000000100000000");
    assert.equal(hex({ type: "data", data: Uint8Array.of(0xab) }), "0000000c0000000000000001ab000000");
  });

  for (const length of [0, 1, 3, 4, 5, chunkMax - 1, chunkMax, chunkMax + 1, extendedChunkMax])
    it(`of ${length} bytes comes back as it was`, () => {
      const data = new Uint8Array(length).map((_, at) => at);
      const expected: Chunk = length === 0 ? { type: "end" } : { type: "data", data };
      assert.deepEqual(decodeChunk(frameOf({ type: "data", data }), length), expected);
    });

  it("larger than the receiver takes is refused", () => {
    const frame = frameOf({ type: "data", data: new Uint8Array(chunkMax + 1) });
    assert.throws(() => decodeChunk(frame, chunkMax), { name: "ProtocolError", message: /8193 bytes.*8192/ });
    assert.equal(decodeChunk(frame, chunkMax + 1).type, "data");
  });

  it("can be sent as a prefix in front of data that stay where they are", () => {
    for (const length of [1, 2, 3, 4, chunkMax, chunkMax + 1]) {
      const data = new Uint8Array(length).fill(7);
      const prefix = new Uint8Array(4 + chunkPrefixSize).fill(0xee);
      const padding = writeChunkPrefix(prefix, 4, length);
      const sent = Buffer.concat([prefix.subarray(4), data, new Uint8Array(padding)]);
      assert.equal(Buffer.compare(sent, encodeChunk({ type: "data", data })), 0, String(length));
    }
  });

  it("that cancels does so whatever its word and its data", () => {
    const frame = frameOf({ type: "data", data: Uint8Array.of(1, 2, 3, 4) }).slice();
    frame[0] = 0x80;
    assert.deepEqual(decodeChunk(frame, chunkMax), { type: "cancel" });
  });

  it("is a value or a ProtocolError whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeChunk(bytes, 16);
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      }),
    );
  });
});
