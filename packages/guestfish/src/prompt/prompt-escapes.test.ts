import assert from "node:assert/strict";
import { test } from "node:test";
import { decodePrompt } from "./prompt-escapes.ts";

test("escapes of guestfish(1), PROMPT", () => {
  assert.equal(decodePrompt(String.raw`\[\e[1;32m\]><fs>\[\e[0;31m\] `), "\x1b[1;32m><fs>\x1b[0;31m ");
  assert.equal(decodePrompt(String.raw`\\\a\n\r\101\x42\x4a1\7`), "\\\x07\n\rABJ1\x07");
  assert.equal(decodePrompt(String.raw`é\303\251\xc3\xa9`), "ééé");
  assert.equal(decodePrompt("\\q \\"), "? ?");
});
