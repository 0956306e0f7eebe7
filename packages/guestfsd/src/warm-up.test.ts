import assert from "node:assert/strict";
import { test } from "node:test";
import { codecOf, Writer } from "@guestfs/protocol";
import { procedures } from "@guestfs/schema";
import { frequentCalls, warmUpCalls } from "./warm-up.ts";

test("every call of the warm-up can be encoded", () => {
  for (const [name, args = {}] of [...warmUpCalls(true), ...frequentCalls]) {
    const row = procedures.find((one) => one.name === name);
    assert.ok(row?.proc !== undefined, name);
    codecOf(row).writeArguments(new Writer(), args);
  }
});
