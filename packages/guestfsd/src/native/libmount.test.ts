import assert from "node:assert/strict";
import { test } from "node:test";
import { splitMountOptions } from "./libmount.ts";

test("options are for mount(2), for the filesystem, or for mount(8)", () => {
  assert.deepEqual(splitMountOptions(""), { flags: 0, data: "", user: "" });
  const { flags, data, user } = splitMountOptions("ro,nosuid,noexec,data=journal,loop,commit=5");
  assert.equal(flags, 1 | 2 | 8);
  assert.equal(data, "data=journal,commit=5");
  assert.equal(user, "loop");
});

test("the last of two opposites counts", () => {
  assert.equal(splitMountOptions("ro,rw").flags & 1, 0);
  assert.equal(splitMountOptions("rw,ro").flags & 1, 1);
});

test("a quoted comma does not part options", () => {
  assert.equal(splitMountOptions('context="a,b",x').data, 'context="a,b",x');
});
