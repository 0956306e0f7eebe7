import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { decodeText, encodeText } from "./text.ts";

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "hex"));
}

/** Bytes in which broken UTF-8 is frequent. */
const nearlyUtf8 = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 4 }).map((text) => Buffer.from(text)),
      fc
        .constantFrom(
          "c0",
          "c1",
          "e08080",
          "eda080",
          "edbfbf",
          "f08080",
          "f4908080",
          "f5",
          "e2",
          "e282",
          "f09f",
          "80",
          "ff",
        )
        .map((bytes) => Buffer.from(bytes, "hex")),
      fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Uint8Array.from(Buffer.concat(parts)));

describe("text", () => {
  it("is UTF-8 where the bytes are", () => {
    for (const text of ["", "plain", "grün", "日本語", "😀", "\ufeffbom", "a\u0000b", "\uffff"])
      assert.equal(decodeText(encodeText(text)), text);
    assert.deepEqual(encodeText("ü"), fromHex("c3bc"));
    assert.equal(decodeText(fromHex("efbbbf61")), "\ufeffa");
  });

  it("keeps any bytes through a string and back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => assert.deepEqual(encodeText(decodeText(bytes)), bytes)),
    );
    fc.assert(fc.property(nearlyUtf8, (bytes) => assert.deepEqual(encodeText(decodeText(bytes)), bytes)));
  });

  it("is the same in long texts, wherever a byte stands that is no UTF-8", () => {
    const signs = ["a", "ü", "日", "😀"].map((sign) => Buffer.from(sign));
    for (const sign of signs)
      for (let shift = 0; shift < 8; shift++) {
        const tail = Buffer.concat([
          Buffer.alloc(shift, "x"),
          Buffer.alloc(3 * 4096 - ((3 * 4096) % sign.length), sign),
        ]);
        for (const bad of ["ff", "80", "808080808080", "e2", "f09f98"].map((hex) => Buffer.from(hex, "hex"))) {
          const bytes = Buffer.concat([bad, tail, bad]);
          const escaped = [...bad].map((byte) => String.fromCharCode(0xdc00 + byte)).join("");
          assert.equal(decodeText(bytes), `${escaped}${tail.toString()}${escaped}`);
          assert.ok(bytes.equals(encodeText(decodeText(bytes))));
        }
      }
  });

  it("gives different strings for different bytes", () => {
    fc.assert(
      fc.property(nearlyUtf8, nearlyUtf8, (one, other) => {
        assert.equal(decodeText(one) === decodeText(other), Buffer.compare(one, other) === 0);
      }),
    );
  });

  it("turns each byte that is not UTF-8 into U+DC00 and the byte", () => {
    assert.equal(decodeText(fromHex("66fc72")), "f\udcfcr");
    assert.equal(decodeText(fromHex("c080")), "\udcc0\udc80", "an overlong NUL");
    assert.equal(decodeText(fromHex("eda080")), "\udced\udca0\udc80", "an encoded surrogate");
    assert.equal(decodeText(fromHex("f4908080")), "\udcf4\udc90\udc80\udc80", "beyond U+10FFFF");
    assert.equal(decodeText(fromHex("f09f98")), "\udcf0\udc9f\udc98", "cut short");
    assert.equal(decodeText(fromHex("f09f9880ff")), "😀\udcff");
  });

  it("decodes text with one bad byte like a decoder decodes the rest", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 0x80, max: 0xff }), (text, byte) => {
        const bytes = Buffer.concat([Buffer.of(byte), Buffer.from("|"), Buffer.from(text)]);
        assert.equal(decodeText(bytes), `${String.fromCharCode(0xdc00 + byte)}|${text}`);
      }),
    );
  });

  it("writes a surrogate that stands for no byte as U+FFFD", () => {
    assert.deepEqual(encodeText("a\ud800"), fromHex("61efbfbd"));
    assert.deepEqual(encodeText("\udc7f"), fromHex("efbfbd"));
    assert.deepEqual(encodeText("\ud83d\ude00\udcff"), fromHex("f09f9880ff"));
    assert.deepEqual(
      encodeText("\ud83d\udcff"),
      Uint8Array.from(Buffer.from("\ud83d\udcff")),
      "a pair is one character",
    );
  });

  it("takes megabytes of it", () => {
    const bytes = new Uint8Array(4 * 1024 * 1024).map((_, at) => (at % 2 === 0 ? 0x61 : 0xff));
    const text = decodeText(bytes);
    assert.equal(text.length, bytes.length);
    assert.equal(Buffer.compare(encodeText(text), bytes), 0);
  });
});
