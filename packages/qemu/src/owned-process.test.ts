import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { findProgram, ProgramFailedError, ProgramNotFoundError, runOwned, spawnOwned } from "./owned-process.ts";

const isRunning = (pid: number): boolean => {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
};

test("output, status and input of a program", async () => {
  const { stdout } = await runOwned("sh", ["-c", "cat; echo more"], { input: Buffer.from("bytes ") });
  assert.equal(stdout.toString(), "bytes more\n");
  await assert.rejects(runOwned("sh", ["-c", "echo why >&2; exit 3"]), (error) => {
    assert.ok(error instanceof ProgramFailedError);
    assert.equal(error.result.code, 3);
    assert.match(error.message, /^sh: exit status 3: why$/);
    return true;
  });
  await assert.rejects(runOwned("sh", ["-c", "kill -9 $$"]), /killed by SIGKILL/);
});

test("a program that reads none of a large input", async () => {
  const { code } = await runOwned("true", [], { input: Buffer.alloc(4 * 1024 * 1024) });
  assert.equal(code, 0);
});

test("a missing program", async () => {
  // A folder to work in that is not there: the system refuses, and the program is not to blame.
  await assert.rejects(spawnOwned("true", [], { cwd: "/nowhere" }), /^Error: true can't be started: .*ENOENT/);
  await assert.rejects(spawnOwned("no-such-program-here", []), ProgramNotFoundError);
  await assert.rejects(findProgram("/nowhere/qemu"), /^ProgramNotFoundError: \/nowhere\/qemu: no such program$/);
  assert.ok(existsSync(await findProgram("depmod")), "found though it is in /usr/sbin");
});

test("further descriptors, of which one is never read, do not hold the end up", async () => {
  const owned = await spawnOwned("sh", ["-c", "echo unread >&3; cat <&4 >&2"], {
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
  });
  owned.kill("SIGTERM");
  assert.deepEqual(await owned.exited, { code: null, signal: "SIGTERM" });
});

test("kill reaches those that the program started", async () => {
  const owned = await spawnOwned("sh", ["-c", "sleep 1000 & echo $!; wait"]);
  const [bytes] = (await once(owned.child.stdout ?? assert.fail(), "data")) as [Buffer];
  const grandchild = Number(bytes.toString());
  assert.ok(isRunning(grandchild));
  owned.kill();
  await owned.exited;
  while (isRunning(grandchild)) await delay(10);
});

test("an aborted run ends the program", async () => {
  const controller = new AbortController();
  const run = runOwned("sleep", ["1000"], { signal: controller.signal });
  setTimeout(() => controller.abort(new Error("enough")), 50);
  await assert.rejects(run, /enough/);
});

test("the process dies with a parent that is killed", async () => {
  const program = `
    import { spawnOwned } from ${JSON.stringify(import.meta.resolve("./owned-process.ts"))};
    const owned = await spawnOwned("sleep", ["1000"]);
    console.log(owned.pid);
    setInterval(() => undefined, 1000);`;
  const args = ["--conditions=source", "--import", import.meta.resolve("tsx"), "--input-type=module", "-e", program];
  const parent = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [bytes] = (await once(parent.stdout, "data")) as [Buffer];
  const pid = Number(bytes.toString());
  assert.ok(isRunning(pid));
  parent.kill("SIGKILL");
  await once(parent, "exit");
  while (isRunning(pid)) await delay(10);
});
