import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDriveSource } from "./drive-source.ts";
import type { DriveSource } from "./drive-source.ts";
import { CommandLineError } from "./command-line-error.ts";

test("files and URIs are what add_drive takes", () => {
  const cases: [string, DriveSource][] = [
    ["disk.img", { filename: "disk.img" }],
    ["a:b", { filename: "a:b" }],
    ["file:///x/a%20b", { filename: "/x/a b" }],
    [
      "ssh://u:p%40w@example.com:22/disk.img",
      { filename: "/disk.img", protocol: "ssh", server: ["tcp:example.com:22"], username: "u", secret: "p@w" },
    ],
    ["http://example.com/x/y?z=1", { filename: "/x/y?z=1", protocol: "http", server: ["tcp:example.com"] }],
    ["nbd://example.com:10809/exp", { filename: "exp", protocol: "nbd", server: ["tcp:example.com:10809"] }],
    ["nbd://example.com", { filename: "", protocol: "nbd", server: ["tcp:example.com"] }],
    ["nbd://?socket=/s", { filename: "", protocol: "nbd", server: ["unix:/s"] }],
    ["nbd:///exp?socket=/s", { filename: "exp", protocol: "nbd", server: ["unix:/s"] }],
    ["rbd:///pool/disk", { filename: "pool/disk", protocol: "rbd" }],
    ["gluster://h/v/i", { filename: "v/i", protocol: "gluster", server: ["tcp:h"] }],
    ["iscsi://h/t/1", { filename: "t/1", protocol: "iscsi", server: ["tcp:h"] }],
  ];
  for (const [text, source] of cases) assert.deepEqual(parseDriveSource(text), source, text);
  for (const text of ["nbd://h?socket=/s", "ssh://h/%zz", "http://"])
    assert.throws(() => parseDriveSource(text), CommandLineError, text);
  for (const text of [
    "nbd://u:hunter2@h?socket=/s",
    "ssh://u:hunter2%zz@h/",
    "ssh://u:hunt/er2@h:x/",
    "ssh://u:hunter2@h:x/",
  ])
    assert.throws(
      () => parseDriveSource(text),
      (error) =>
        error instanceof CommandLineError && /-a \w+:\/\/\*\*\*@h/.test(error.message) && error.cause === undefined,
    );
});
