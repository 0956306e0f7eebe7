import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ShellError } from "./shell-error.ts";
import { splitList } from "./string-list.ts";

test("a list is split at blanks and tabs, not inside quotes", () => {
  const cases: [string, string[]][] = [
    ["", []],
    ["   ", []],
    ["a", ["a"]],
    [" a  b ", ["a", "b"]],
    ["a\tb", ["a", "b"]],
    ["a\nb c\r", ["a\nb", "c\r"]],
    ["a 'b c' d", ["a", "b c", "d"]],
    ["a'b c'd", ["ab cd"]],
    ["''", [""]],
    ["a '' b", ["a", "", "b"]],
    ["\\'a b", ["'a", "b"]],
    ["'a\\'b' c", ["a'b", "c"]],
    ["a\\\\'b", ["a\\'b"]],
    ["a\\b c", ["a\\b", "c"]],
  ];
  for (const [word, items] of cases) assert.deepEqual(splitList(word), items, word);
});

test("a quote has to be closed", () => {
  for (const word of ["'", "a 'b", "a b'c"]) assert.throws(() => splitList(word), ShellError, word);
});

test("any text is a list or a ShellError, and a quoted list comes back", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        splitList(text);
      } catch (error) {
        assert.ok(error instanceof ShellError);
      }
    }),
  );
  const unquotable = /\\/;
  fc.assert(
    fc.property(fc.array(fc.string().filter((item) => !unquotable.test(item))), (items) => {
      assert.deepEqual(splitList(items.map((item) => `'${item.replaceAll("'", "\\'")}'`).join(" ")), items);
    }),
  );
});
