import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { acquireCacheLock, tryCacheLock } from "./cache-lock.ts";

function child(program: string): ChildProcess {
  const source = `import { acquireCacheLock } from ${JSON.stringify(import.meta.resolve("./cache-lock.ts"))};\n${program}`;
  const args = ["--conditions=source", "--import", import.meta.resolve("tsx"), "--input-type=module", "-e", source];
  return spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
}

test("ten programs at once: one builds, the others find what it built", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cache-lock-"));
  t.after(() => rm(folder, { recursive: true }));
  const program = `
    import { appendFile, readFile, writeFile } from "node:fs/promises";
    import { setTimeout } from "node:timers/promises";
    const folder = ${JSON.stringify(folder)};
    const lock = await acquireCacheLock(folder + "/lock", () => undefined);
    await appendFile(folder + "/log", "enter\\n");
    if (await readFile(folder + "/built", "utf8").catch(() => "") === "") {
      await setTimeout(100);
      await appendFile(folder + "/log", "build\\n");
      await writeFile(folder + "/built", "yes");
    }
    await appendFile(folder + "/log", "leave\\n");
    await lock.release();`;
  const codes = await Promise.all(
    Array.from({ length: 10 }, async () => (await once(child(program), "exit"))[0] as number),
  );
  assert.deepEqual(
    codes,
    Array.from({ length: 10 }, () => 0),
  );
  const log = await readFile(join(folder, "log"), "utf8");
  assert.equal(log, `enter\nbuild\nleave\n${"enter\nleave\n".repeat(9)}`);
});

test("the lock of a program that is killed is free", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cache-lock-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "lock");
  const holder = child(`
    await acquireCacheLock(${JSON.stringify(path)}, () => undefined);
    console.log("held");
    setInterval(() => undefined, 1000);`);
  await once(holder.stdout ?? assert.fail(), "data");
  let waited = false;
  const lock = acquireCacheLock(path, () => {
    waited = true;
    holder.kill("SIGKILL");
  });
  await (await lock).release();
  assert.ok(waited);
});

test("waiting can be cancelled, and within one process the lock excludes too", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cache-lock-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "lock");
  const first = await acquireCacheLock(path, () => undefined);
  const controller = new AbortController();
  const second = acquireCacheLock(path, () => controller.abort(new Error("enough")), controller.signal);
  await assert.rejects(second, /enough/);
  assert.equal(await tryCacheLock(path), undefined);
  await first.release();
  const third = await tryCacheLock(path);
  assert.ok(third);
  await third.release();
});
