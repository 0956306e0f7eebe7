import assert from "node:assert/strict";
import { test } from "node:test";
import { runOwned } from "@guestfs/qemu";
import { cpioArchive } from "./cpio.ts";

test("busybox lists and unpacks what we pack", async () => {
  const archive = cpioArchive([
    { path: "bin" },
    { path: "bin/program", contents: Buffer.from("#!/bin/sh\n"), executable: true },
    { path: "data", contents: Buffer.alloc(70_001, 7) },
    { path: "empty", contents: Buffer.alloc(0) },
    { path: "link", target: "/proc/self/fd" },
    { path: "node", device: { major: 10, minor: 237 } },
  ]);
  const { stdout } = await runOwned("busybox", ["cpio", "-tv"], { input: archive });
  const lines = stdout
    .toString()
    .trim()
    .split("\n")
    .map((line) => line.split(/\s+/));
  assert.deepEqual(
    lines.map((words) => [words[0], words[2], words.at(-1)]),
    [
      ["drwxr-xr-x", "0", "bin"],
      ["-rwxr-xr-x", "10", "bin/program"],
      ["-rw-r--r--", "70001", "data"],
      ["-rw-r--r--", "0", "empty"],
      ["lrwxrwxrwx", "0", "/proc/self/fd"],
      ["crw-------", "0", "node"],
    ],
  );
});
