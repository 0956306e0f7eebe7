import assert from "node:assert/strict";
import { test } from "node:test";
import { effects, effectOf, procedures } from "./index.ts";

const calls = procedures.flatMap((row) => (row.proc === undefined ? [] : [row.name]));

test("every call of the daemon has an effect, and nothing else has", () => {
  assert.deepEqual([...effects.keys()].toSorted(), calls.toSorted());
});

test("no call is listed twice", () => {
  const words = [...effects.keys()];
  assert.equal(new Set(words).size, words.length);
});

test("what nobody classified is dangerous", () => {
  assert.equal(effectOf("no_such_call"), "danger");
});

test("what only reads a device or a tree has no effect, what makes one is dangerous", () => {
  for (const name of ["download", "cat", "part_list", "luks_uuid", "find0", "aug_get"].filter((name) =>
    effects.has(name),
  ))
    assert.equal(effectOf(name), "none", name);
  for (const { name } of procedures)
    if (effects.has(name) && /^(mkfs|mke2fs|wipefs|sfdisk(M|_N)?$|part_(add|del|init|disk|resize|set)|zero)/.test(name))
      assert.equal(effectOf(name), "danger", name);
});
