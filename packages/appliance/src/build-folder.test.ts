import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { buildFolder, removeDrafts, removeOld } from "./build-folder.ts";

test("a folder appears whole, replaces the one before, and a failure leaves nothing", async (t) => {
  const parent = await mkdtemp(join(tmpdir(), "build-folder-"));
  t.after(() => rm(parent, { recursive: true }));
  for (const text of ["one", "two"]) {
    await buildFolder(parent, "thing", async (draft) => {
      await writeFile(join(draft, "file"), text);
      assert.notEqual(await readFile(join(parent, "thing", "file"), "utf8").catch(() => ""), text);
    });
    assert.equal(await readFile(join(parent, "thing", "file"), "utf8"), text);
  }
  await assert.rejects(
    buildFolder(parent, "thing", () => Promise.reject(new Error("disk full"))),
    /disk full/,
  );
  assert.deepEqual(await readdir(parent), ["thing"]);
  assert.equal(await readFile(join(parent, "thing", "file"), "utf8"), "two");

  await mkdir(join(parent, "draft-1-00ff"));
  await removeDrafts(parent);
  assert.deepEqual(await readdir(parent), ["thing"]);
});

test("replaced appliances go, those in use stay", async (t) => {
  const parent = await mkdtemp(join(tmpdir(), "build-folder-"));
  t.after(() => rm(parent, { recursive: true }));
  for (let i = 0; i < 7; i++) {
    const path = join(parent, `system-${i}`);
    await mkdir(path);
    const time = new Date(Date.now() - (i === 6 ? 0 : 3600_000 + i * 1000));
    await utimes(path, time, time);
  }
  await removeOld(parent, ["system-5"]);
  assert.deepEqual((await readdir(parent)).sort(), ["system-0", "system-1", "system-5", "system-6"]);
});
