import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { chooseAccelerator, recordKvmFailure } from "./accelerator.ts";

test("a choice is made, kept for this boot, and can be unmade", async (t) => {
  const cacheDir = await mkdtemp(join(tmpdir(), "accelerator-"));
  t.after(() => rm(cacheDir, { recursive: true }));
  const options = { qemu: "qemu-system-x86_64", cacheDir };
  const first = await chooseAccelerator(options);
  t.diagnostic(`${first.accelerator}: ${first.reason}`);
  assert.notEqual(first.reason, "");
  const second = await chooseAccelerator(options);
  assert.equal(second.accelerator, first.accelerator);
  if (/\/dev\/kvm/.test(first.reason) && (await readdir(cacheDir)).length === 0) return;
  assert.match(second.reason, /known since earlier/);
  await recordKvmFailure(options, "a guest died");
  assert.deepEqual(await chooseAccelerator(options), {
    accelerator: "tcg",
    reason: "a guest died (known since earlier)",
  });

  const record = JSON.parse(await readFile(join(cacheDir, "kvm.json"), "utf8")) as Record<string, unknown>;
  await writeFile(join(cacheDir, "kvm.json"), JSON.stringify({ ...record, bootId: "another boot" }));
  assert.equal((await chooseAccelerator(options)).accelerator, first.accelerator);
  assert.deepEqual(await readdir(cacheDir), ["kvm.json"]);
});
