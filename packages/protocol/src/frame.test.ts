import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import {
  cancelFlag,
  encodeChunk,
  encodeFlag,
  encodeProgress,
  FrameDecoder,
  launchFlag,
  messageMax,
  progressFlag,
  ProtocolError,
} from "./index.ts";
import type { Frame } from "./index.ts";

/** A frame that outlives the next read. */
type Kept = Exclude<Frame, { type: "message" }> | { type: "message"; hex: string };

function keep(frame: Frame): Kept {
  return frame.type === "message" ? { type: "message", hex: Buffer.from(frame.bytes).toString("hex") } : frame;
}

function takeAll(decoder: FrameDecoder): Kept[] {
  const frames: Kept[] = [];
  for (let frame = decoder.next(); frame; frame = decoder.next()) frames.push(keep(frame));
  return frames;
}

function message(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + body.length);
  new DataView(bytes.buffer).setUint32(0, body.length);
  bytes.set(body, 4);
  return bytes;
}

const progress = { procedure: 66, serial: 0x123401, position: 3, total: 9 };
const stream = Buffer.concat([
  encodeFlag(launchFlag),
  message(Uint8Array.of(1, 2, 3, 4, 5)),
  encodeProgress(progress),
  message(new Uint8Array(0)),
  encodeFlag(cancelFlag),
  encodeChunk({ type: "data", data: Uint8Array.of(9) }),
  encodeChunk({ type: "end" }),
]);
const frames: Kept[] = [
  { type: "launch" },
  { type: "message", hex: "0102030405" },
  { type: "progress", progress },
  { type: "message", hex: "" },
  { type: "cancel" },
  { type: "message", hex: "000000000000000109000000" },
  { type: "message", hex: "0000000000000000" },
];

describe("FrameDecoder", () => {
  it("cuts a stream at every place into the same frames", () => {
    for (let first = 0; first <= stream.length; first++) {
      for (let second = first; second <= stream.length; second++) {
        const decoder = new FrameDecoder();
        const found: Kept[] = [];
        for (const part of [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)]) {
          decoder.push(part);
          found.push(...takeAll(decoder));
        }
        assert.deepEqual(found, frames, `cut at ${first} and ${second}`);
        assert.equal(decoder.buffered, 0);
      }
    }
  });

  it("takes them a byte at a time", () => {
    const decoder = new FrameDecoder();
    const found: Kept[] = [];
    for (const byte of stream) {
      decoder.reserve(1)[0] = byte;
      decoder.commit(1);
      found.push(...takeAll(decoder));
    }
    assert.deepEqual(found, frames);
  });

  it("gives a frame no earlier than its last byte", () => {
    for (const whole of [message(new Uint8Array(9)), encodeProgress(progress), encodeFlag(launchFlag)]) {
      const decoder = new FrameDecoder();
      for (let count = 0; count < whole.length; count++) {
        assert.equal(decoder.next(), undefined);
        decoder.push(whole.subarray(count, count + 1));
      }
      assert.notEqual(decoder.next(), undefined);
    }
  });

  for (const length of [0, 1, 3, 4, 8191, 8192, 8193, 65531, 65532, 65533, messageMax - 1, messageMax])
    it(`takes a message of ${length} bytes, with reads of every kind`, () => {
      const body = new Uint8Array(length).map((_, at) => at % 251);
      const whole = Buffer.concat([message(body), encodeFlag(cancelFlag)]);
      for (const read of [1000, 4096, 65536, whole.length]) {
        const decoder = new FrameDecoder();
        let found: Uint8Array | undefined;
        for (let at = 0; at < whole.length; at += read) {
          decoder.push(whole.subarray(at, at + read));
          const frame = decoder.next();
          if (frame?.type === "message") found = frame.bytes.slice();
          else assert.equal(frame === undefined, found === undefined);
        }
        assert.equal(Buffer.compare(found as Uint8Array, body), 0, `reads of ${read}`);
        decoder.next();
        assert.equal(decoder.buffered, 0);
      }
    });

  it("refuses any word that is neither a flag nor a length up to 4 MiB, again and again", () => {
    const flags = [launchFlag, cancelFlag, progressFlag];
    const word = fc.integer({ min: messageMax + 1, max: 0xffffffff }).filter((value) => !flags.includes(value));
    const check = (value: number): void => {
      const decoder = new FrameDecoder();
      decoder.push(encodeFlag(value));
      assert.throws(() => decoder.next(), { name: "ProtocolError", message: new RegExp(value.toString(16)) });
      assert.throws(() => decoder.next(), ProtocolError);
    };
    check(messageMax + 1);
    check(0xffffffff);
    fc.assert(fc.property(word, check));
  });

  it("throws for a progress message whose numbers no number holds", () => {
    const bytes = encodeProgress(progress);
    bytes[12] = 0xff;
    const decoder = new FrameDecoder();
    decoder.push(bytes);
    assert.throws(() => decoder.next(), ProtocolError);
  });

  it("gives frames or a ProtocolError whatever the bytes and the reads", () => {
    const words = fc.constantFrom(launchFlag, cancelFlag, progressFlag, 0, 1, 4, 40, messageMax, messageMax + 1);
    const part = fc.oneof(fc.uint8Array({ maxLength: 64 }), words.map(encodeFlag));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
        const decoder = new FrameDecoder();
        let given = 0;
        let taken = 0;
        try {
          for (const bytes of parts) {
            decoder.push(bytes);
            given += bytes.length;
            for (let frame = decoder.next(); frame; frame = decoder.next())
              taken +=
                { launch: 4, cancel: 4, progress: 28, window: 4, message: 4 }[frame.type] +
                (frame.type === "message" ? frame.bytes.length : 0);
            assert.equal(decoder.buffered, given - taken);
          }
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      }),
    );
  });

  it("holds no more than 4 MiB and one read, however the largest message comes", () => {
    for (const read of [1, 1000, 8192, 65536, 1 << 20]) {
      const decoder = new FrameDecoder();
      const whole = message(new Uint8Array(messageMax));
      let largest = 0;
      // Its first part in small reads, so that the memory has to grow step by step, over and over.
      for (const turn of [0, 1]) {
        for (let at = 0; at < whole.length; at += at < 100_000 ? read : 1 << 20) {
          const place = decoder.reserve(read);
          largest = Math.max(largest, place.buffer.byteLength);
          decoder.push(whole.subarray(at, at + (at < 100_000 ? read : 1 << 20)));
          largest = Math.max(largest, decoder.reserve(0).buffer.byteLength);
          decoder.next();
        }
        assert.equal(decoder.buffered, 0, `turn ${turn}`);
      }
      assert.ok(largest <= 4 + messageMax + (1 << 20), `${largest} bytes with reads of ${read}`);
    }
  });

  it("does not grow for a peer that sends small frames without end", () => {
    const decoder = new FrameDecoder();
    const before = decoder.reserve(1).buffer.byteLength;
    const many = Buffer.concat(Array.from({ length: 5000 }, () => encodeFlag(cancelFlag)));
    for (let turn = 0; turn < 50; turn += 1) {
      // An odd length, so that a part of a word is left over each time.
      decoder.push(many.subarray(0, many.length - 1));
      assert.equal(takeAll(decoder).length, 4999);
      decoder.push(many.subarray(many.length - 1));
      assert.equal(takeAll(decoder).length, 1);
    }
    assert.equal(decoder.reserve(1).buffer.byteLength, before);
  });

  it("refuses to be told of more bytes than there was room for", () => {
    const decoder = new FrameDecoder();
    const room = decoder.reserve(10).length;
    assert.throws(() => decoder.commit(room + 1), RangeError);
    assert.equal(decoder.buffered, 0);
  });
});
