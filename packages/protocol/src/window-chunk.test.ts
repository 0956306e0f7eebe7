import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeWindowChunk, encodeChunk, encodeWindowChunk, ProtocolError } from "./index.ts";

const size = 4 * 1024 * 1024;
const frameOf = (offset: number, length: number): Uint8Array => encodeWindowChunk({ offset, length }).subarray(4);

test("a piece of the window comes back as it was", () => {
  for (const piece of [
    { offset: 0, length: 1 },
    { offset: 0, length: size },
    { offset: size - 1, length: 1 },
  ])
    assert.deepEqual(decodeWindowChunk(frameOf(piece.offset, piece.length), size), piece);
});

test("other chunks are none", () => {
  const chunks = [{ type: "end" }, { type: "cancel" }, { type: "data", data: new Uint8Array(8) }] as const;
  for (const chunk of chunks) assert.equal(decodeWindowChunk(encodeChunk(chunk).subarray(4), size), undefined);
});

test("a piece that is empty, or not within the window, is refused", () => {
  for (const [offset, length] of [
    [0, 0],
    [0, size + 1],
    [size, 1],
    [1, size],
    [0xffffffff, 0xffffffff],
  ] as const)
    assert.throws(() => decodeWindowChunk(frameOf(offset, length), size), ProtocolError);
});
