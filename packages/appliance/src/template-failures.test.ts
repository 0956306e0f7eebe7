import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { recentFailures, removeForgotten, TemplateFailures } from "./template-failures.ts";

const store = await mkdtemp(join(tmpdir(), "failures-test-"));
after(() => rm(store, { recursive: true, force: true }));

test("after two failures a template is left alone, until one works", async () => {
  const failures = new TemplateFailures(store, "template-1");
  assert.equal(failures.reason(), undefined);
  await failures.add("no room");
  assert.equal(failures.reason(), undefined);
  await failures.add("still no room");
  assert.equal(failures.reason(), "still no room");
  assert.equal(new TemplateFailures(store, "template-1").reason(), "still no room");
  assert.equal(new TemplateFailures(store, "template-2").reason(), undefined);
  await failures.forget();
  assert.equal(failures.reason(), undefined);
});

test("failures are forgotten after an hour, also those of a clock that went wrong", async () => {
  for (const [timeMs, reason] of [
    [Date.now(), "now"],
    [Date.now() - 3_700_000, undefined],
    [Date.now() + 3_700_000, undefined],
  ] as const) {
    await writeFile(join(store, "template-3.failed.json"), JSON.stringify({ count: 5, timeMs, reason: "now" }));
    assert.equal(new TemplateFailures(store, "template-3").reason(), reason);
    assert.equal((await recentFailures(store)).length, reason === undefined ? 0 : 1);
  }
  await writeFile(join(store, "template-3.failed.json"), "{");
  await new TemplateFailures(store, "template-5").add("lately");
  await removeForgotten(store);
  assert.deepEqual(await readdir(store), ["template-5.failed.json"]);
  assert.equal(new TemplateFailures(store, "template-3").reason(), undefined);
});

test("in a folder that can't be written, the process remembers", async () => {
  const failures = new TemplateFailures("/proc/nowhere", "template-4");
  await failures.add("one");
  await failures.add("two");
  assert.equal(failures.reason(), "two");
});
