import assert from "node:assert/strict";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { areIntact, haveTheirSizes, recordFiles } from "./file-record.ts";

test("files that were changed, cut or removed are found out", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "file-record-"));
  t.after(() => rm(folder, { recursive: true }));
  const [image, kernel] = [join(folder, "image"), join(folder, "kernel")];
  await writeFile(image, Buffer.alloc(100_000, 1));
  await writeFile(kernel, "kernel");
  const found = async (): Promise<boolean[]> => [haveTheirSizes(folder), await areIntact(folder)];
  assert.deepEqual(await found(), [true, true], "what older versions built says nothing");
  await recordFiles(folder);
  assert.deepEqual(await found(), [true, true]);
  await writeFile(kernel, "kernal");
  assert.deepEqual(await found(), [true, false]);
  await writeFile(kernel, "kernel");
  await truncate(image, 65_536);
  assert.deepEqual(await found(), [false, false]);
  await rm(image);
  assert.deepEqual(await found(), [false, false]);
});
