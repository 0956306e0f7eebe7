import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeFrame, FrameFault, frameKinds, longestBody, readFrames } from "./frame.ts";
import type { FrameKind } from "./frame.ts";

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function collect(bytes: Uint8Array, size: number): Promise<[FrameKind, string][]> {
  const found: [FrameKind, string][] = [];
  for await (const { kind, body } of readFrames(pieces(bytes, size))) found.push([kind, body.toString("latin1")]);
  return found;
}

test("frames come back whole, however the bytes arrive", async () => {
  const kinds = Object.keys(frameKinds) as FrameKind[];
  const frame = fc.tuple(fc.constantFrom(...kinds), fc.uint8Array({ maxLength: 50 }));
  await fc.assert(
    fc.asyncProperty(fc.array(frame), fc.integer({ min: 1, max: 40 }), async (frames, size) => {
      const bytes = Buffer.concat(frames.map(([kind, body]) => encodeFrame(kind, body)));
      assert.deepEqual(
        await collect(bytes, size),
        frames.map(([kind, body]) => [kind, Buffer.from(body).toString("latin1")]),
      );
    }),
  );
});

test("anything else is a FrameFault, before much of it is kept", async () => {
  await assert.rejects(collect(Buffer.from([0, 0, 0, 0, 99]), 5), FrameFault);
  await assert.rejects(collect(Buffer.from([0, 0, 0, 1, 1]), 5), FrameFault);
  const header = Buffer.alloc(5);
  header.writeUInt32BE(longestBody + 1);
  await assert.rejects(collect(header, 5), FrameFault);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 30 }), async (bytes) => {
      await collect(bytes, 7).catch((error: unknown) => assert.ok(error instanceof FrameFault));
    }),
  );
});
