import assert from "node:assert/strict";
import { test } from "node:test";
import { inMegabytes } from "./sfdisk.ts";

test("numbers without a unit are megabytes", () => {
  assert.equal(inMegabytes(","), ",");
  assert.equal(inMegabytes(""), "");
  assert.equal(inMegabytes(",100,82,*"), ",100MiB,82,*");
  assert.equal(inMegabytes("1,+5"), "1MiB,+5MiB");
  assert.equal(inMegabytes("0,10"), "0,10MiB");
  assert.equal(inMegabytes(",100 , 83"), ",100MiB , 83");
});
