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
    ["http://h/a/../b//./c%2Fd;e", { filename: "/a/../b//./c/d;e", protocol: "http", server: ["tcp:h"] }],
    ["http://h/x?a=%20b#part", { filename: "/x?a=%20b", protocol: "http", server: ["tcp:h"] }],
    ["ssh://H.Example.com/x?y", { filename: "/x", protocol: "ssh", server: ["tcp:H.Example.com"] }],
    ["nbd://192.168.1/x", { filename: "x", protocol: "nbd", server: ["tcp:192.168.1"] }],
    ["http://h:80/x", { filename: "/x", protocol: "http", server: ["tcp:h:80"] }],
    ["http:///x", { filename: "/x", protocol: "http" }],
    ["nbd://[::1]:10809/x", { filename: "x", protocol: "nbd", server: ["tcp:[::1]:10809"] }],
    ["nbd://example.com:10809/exp", { filename: "exp", protocol: "nbd", server: ["tcp:example.com:10809"] }],
    ["nbd://example.com", { filename: "", protocol: "nbd", server: ["tcp:example.com"] }],
    ["nbd://?socket=/s", { filename: "", protocol: "nbd", server: ["unix:/s"] }],
    ["nbd:///exp?socket=/s", { filename: "exp", protocol: "nbd", server: ["unix:/s"] }],
    ["rbd:///pool/disk", { filename: "pool/disk", protocol: "rbd" }],
    ["gluster://h/v/i", { filename: "v/i", protocol: "gluster", server: ["tcp:h"] }],
    ["iscsi://h/t/1", { filename: "t/1", protocol: "iscsi", server: ["tcp:h"] }],
  ];
  for (const [text, source] of cases) assert.deepEqual(parseDriveSource(text), source, text);
  const wrong = ["nbd://h?socket=/s", "ssh://h/%zz", "ssh://h/%ff", "ssh://h/a b", "ssh://h/é", "ssh://h/a|b"];
  for (const text of [...wrong, "ssh://h/a\\b", "nbd://h:port/", "nbd://h:/", "http://h/x?a b"])
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

test("no password of a URI is in a message", () => {
  for (const text of [
    "ssh://u:secret@h/%zz",
    "ssh://u:secret@h/a b",
    "nbd://u:secret@h?socket=/s",
    "ssh://u:sec@ret@h/x",
  ])
    assert.throws(
      () => parseDriveSource(text),
      (error) => error instanceof CommandLineError && !/sec|ret/.test(error.message),
      text,
    );
});
