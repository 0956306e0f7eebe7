import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ConsoleTail } from "./console-tail.ts";

test("the end is kept, without control characters", () => {
  const tail = new ConsoleTail();
  for (let i = 0; i < 3000; i++) tail.add(Buffer.from(`line ${i}\r\n`));
  tail.add(Buffer.from("\u001bc\u001b[?7l\u001b[2Jred\u001b[0m\u0007\n"));
  const text = tail.text();
  assert.match(text, /line 2998\nline 2999\nred$/);
  assert.doesNotMatch(text, /line 100\n/);
});

test("any bytes: bounded, and fit to be printed", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 9000 }), { maxLength: 6 }), (pieces) => {
      const tail = new ConsoleTail();
      for (const piece of pieces) tail.add(Buffer.from(piece));
      const text = tail.text();
      assert.ok(text.length <= 16 * 1024);
      assert.doesNotMatch(text, /[\u0000-\u0008\u000b-\u001f\u007f]/);
    }),
    { numRuns: 50 },
  );
});
