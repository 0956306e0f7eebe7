import assert from "node:assert/strict";
import { test } from "node:test";
import { printable, printableJson, printableLines } from "./printable.ts";

const hostile = "a\u001b[2J\u009b1m\r\u202eb\u2066\u200dc\u{e0041}\udc9b\u2028";

test("nothing that steers a terminal is left", () => {
  assert.equal(printable(`${hostile}\n\td`), "a?[2J?1m??b??c?????d");
  assert.equal(printableLines(`${hostile}\n\td`), "a?[2J?1m??b??c???\n\td");
});

test("ordinary text stays", () => {
  const text = "Zürich 日本 🙂 é\udcff: No such file or directory";
  assert.equal(printable(text), text);
});

test("JSON keeps the value", () => {
  const json = printableJson({ text: hostile });
  assert.match(json, /^[\x20-\x7e]+$/);
  assert.deepEqual(JSON.parse(json), { text: hostile });
});
