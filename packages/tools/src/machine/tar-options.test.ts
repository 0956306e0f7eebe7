import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../tool-error.ts";
import { parseTarOptions } from "./tar-options.ts";

test("words after an archive are its options", () => {
  assert.deepEqual(parseTarOptions([], "in"), {});
  assert.deepEqual(parseTarOptions(["compress:gzip", "numericowner:true", "acls:0", "excludes:*.o  b/c"], "out"), {
    compress: "gzip",
    numericowner: true,
    acls: false,
    excludes: ["*.o", "b/c"],
  });
  assert.deepEqual(parseTarOptions(["keepdirlink:yes"], "in"), { keepdirlink: true });
  for (const words of [
    ["x"],
    ["compress"],
    ["nosuch:1"],
    ["xattrs:maybe"],
    ["acls:1", "acls:1"],
    ["excludes:a"],
    ["numericowner:1"],
  ])
    assert.throws(() => parseTarOptions(words, "in"), UsageError, words.join(" "));
});
