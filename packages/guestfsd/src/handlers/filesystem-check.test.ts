import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSuperblock } from "./filesystem-check.ts";

test("lines of tune2fs -l", () => {
  const fields = parseSuperblock(
    [
      "tune2fs 1.47.0 (5-Feb-2023)",
      "Filesystem volume name:   <none>",
      "Last mounted on:          <not available>",
      "Filesystem magic number:  0xEF53",
      "Check interval:           0 (<none>)",
      "Filesystem created:       Sun Nov 22 19:26:03 2026",
      "",
    ].join("\n"),
  );
  assert.deepEqual(fields, {
    "Filesystem volume name": "",
    "Last mounted on": "",
    "Filesystem magic number": "0xEF53",
    "Check interval": "0 (<none>)",
    "Filesystem created": "Sun Nov 22 19:26:03 2026",
  });
});
