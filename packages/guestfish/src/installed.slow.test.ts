// The program as it is installed: one file that was compiled beforehand, in which Node 20 has no import().
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startOwnDaemon } from "@guestfs/testkit";

const program = fileURLToPath(new URL("../bin/guestfish.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "installed-test-"));
after(() => rmSync(folder, { recursive: true }));

const isRoot = process.geteuid?.() === 0;
const nobody = 65_534;
const asUser = isRoot ? ["setpriv", `--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups"] : ["env"];

function whyNoUserMounts(): string | false {
  const runs = (...words: readonly string[]): boolean => spawnSync("env", [...asUser, ...words]).status === 0;
  if (!runs("test", "-r", "/dev/fuse", "-a", "-w", "/dev/fuse")) return "an ordinary user can't open /dev/fuse here";
  if (!runs("fusermount3", "--version")) return "fusermount3 (package fuse3) is not installed";
  return runs(process.execPath, program, "--version") ? false : "an ordinary user can't run the program here";
}
const reason = whyNoUserMounts();
if (reason !== false) console.log(`skipped: ${reason}`);

test("a mistyped command gets a hint, and Node has nothing to warn of", async () => {
  const { stderr } = spawnSync(process.execPath, [program, "lst-filesystems"], { encoding: "utf8" });
  assert.equal(stderr, "lst-filesystems: unknown command: is it 'list-filesystems'?\n");
});

test("an ordinary user mounts a machine's files", { skip: reason }, async () => {
  await using daemon = await startOwnDaemon({ parent: folder });
  for (const path of [folder, dirname(daemon.socketPath)]) chmodSync(path, 0o711);
  chmodSync(daemon.socketPath, 0o777);
  const place = join(folder, "place");
  mkdirSync(place);
  if (isRoot) chownSync(place, nobody, nobody);
  const words = [...asUser, process.execPath, program, "run", ":", "mount-local", place, ":", "mount-local-run"];
  const isMounted = (): boolean => readFileSync("/proc/self/mounts", "utf8").includes(` ${place} fuse`);
  // At once, the program is not done with mounting.
  for (const patience of [0, 0, 0, 300]) {
    const child = spawn("env", [`LIBGUESTFS_BACKEND=unix:${daemon.socketPath}`, `HOME=${place}`, ...words]);
    child.stdin.end();
    const ended = new Promise((resolve) => child.once("close", resolve));
    const messages = text(child.stderr);
    while (!isMounted() && child.exitCode === null) await delay(2);
    const wasMounted = isMounted();
    await delay(patience);
    child.kill("SIGTERM");
    await ended;
    assert.ok(wasMounted, await messages);
    assert.equal(isMounted(), false, `after ${patience} ms`);
  }
});
