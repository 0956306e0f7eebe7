import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeChunk, FrameDecoder } from "@guestfs/protocol";
import { ChunkBlock } from "./chunk-block.ts";

function contentOf(frames: Uint8Array): Buffer[] {
  const decoder = new FrameDecoder();
  decoder.push(frames);
  const pieces: Buffer[] = [];
  for (let frame = decoder.next(); frame; frame = decoder.next()) {
    assert.ok(frame.type === "message");
    const chunk = decodeChunk(frame.bytes, 16);
    assert.ok(chunk.type === "data");
    pieces.push(Buffer.from(chunk.data));
  }
  assert.equal(decoder.buffered, 0);
  return pieces;
}

test("every length, one after the other in the same memory", () => {
  const block = new ChunkBlock(16, 4);
  assert.equal(block.capacity, 64);
  for (const length of [...Array.from({ length: 65 }, (_, index) => index), 3, 64, 17, 64]) {
    for (const view of block.views) view.fill(length);
    const pieces = contentOf(block.frames(length));
    assert.equal(pieces.length, Math.ceil(length / 16));
    assert.deepEqual(Buffer.concat(pieces), Buffer.alloc(length, length));
  }
});

test("padding is zeros", () => {
  const block = new ChunkBlock(16, 1);
  block.views[0]?.fill(0xff);
  assert.deepEqual([...block.frames(5).subarray(-3)], [0, 0, 0]);
});
