import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, test } from "node:test";
import { makeTemporaryFolder, removeAbandoned } from "./temporary-folder.ts";

const parent = mkdtempSync(join(tmpdir(), "temporary-test-"));
after(() => rmSync(parent, { recursive: true }));

test("what a program left that is gone is removed; nothing else is", async () => {
  const own = basename(await makeTemporaryFolder(parent));
  const place = /^guestfs-(.*)-\d+-\w+$/.exec(own)?.[1] ?? "";
  const { pid: gone } = spawnSync("true");
  const left = `guestfs-${place}-${gone}-abcDEF`;
  mkdirSync(join(parent, left), { mode: 0o700 });
  mkdirSync(join(parent, left, "folder"));
  writeFileSync(join(parent, left, "folder/file"), "");
  // Of another host or boot, where the same number is another program; of a program that runs; of someone else.
  const others = [`guestfs-00000000-${gone}-abcDEF`, `guestfs-${place}-${process.ppid}-abcDEF`, "guestfs-abcDEF"];
  for (const name of others) mkdirSync(join(parent, name), { mode: 0o700 });
  // Others may write to it, or it is not what it seems.
  others.push(`guestfs-${place}-${gone}-shared`, `guestfs-${place}-${gone}-link12`);
  mkdirSync(join(parent, others[3] as string));
  symlinkSync(others[0] as string, join(parent, others[4] as string));
  await removeAbandoned(parent);
  assert.deepEqual(new Set(readdirSync(parent)), new Set([own, ...others]));
});

test("a place that can't be used", async () => {
  await removeAbandoned(join(parent, "none"));
  await assert.rejects(makeTemporaryFolder(join(parent, "none")), { code: "ENOENT" });
});
