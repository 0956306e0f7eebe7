import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseKeySelector, passphraseOf, selectorsFor } from "./key-selector.ts";
import { CommandLineError } from "./command-line-error.ts";

test("selectors name a device and where its passphrase is", () => {
  assert.deepEqual(parseKeySelector("/dev/sda1:key:a:b"), { id: "/dev/sda1", kind: "key", key: "a:b" });
  assert.deepEqual(parseKeySelector("all:file:/x"), { id: "all", kind: "file", file: "/x" });
  assert.deepEqual(parseKeySelector("uuid:clevis"), { id: "uuid", kind: "clevis" });
  for (const text of ["foo", ":key:x", "a:key", "a:what:x"])
    assert.throws(() => parseKeySelector(text), CommandLineError, text);
});

test("a passphrase never gets into a message", () => {
  assert.throws(
    () => parseKeySelector("a:kex:hush"),
    (error: Error) => !error.message.includes("hush"),
  );
});

test("devices are found by name, UUID or all", () => {
  const all = ["/dev/sda1:key:1", "1234:key:2", "all:key:3"].map(parseKeySelector);
  assert.deepEqual(selectorsFor(all, "/dev/sda1", "1234"), all);
  assert.deepEqual(selectorsFor(all, "/dev/sdb1", ""), [all[2]]);
});

test("a file's last line end is no part of the passphrase", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "key-selector-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "key"), "a b\n");
  assert.equal(await passphraseOf({ id: "all", kind: "file", file: join(folder, "key") }), "a b");
  await assert.rejects(passphraseOf({ id: "all", kind: "file", file: join(folder, "none") }), CommandLineError);
});
