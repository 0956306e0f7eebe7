import assert from "node:assert/strict";
import { test } from "node:test";
import { windowSize } from "@guestfs/protocol";
import { makeWindowFile } from "./window-file.ts";

test("the window's file has its size, no name, and nobody else's rights", async () => {
  const file = await makeWindowFile();
  try {
    const { size, nlink, mode } = await file.stat();
    assert.deepEqual({ size, nlink, mode: mode & 0o777 }, { size: windowSize, nlink: 0, mode: 0o600 });
  } finally {
    await file.close();
  }
});
