import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { RawClient } from "@guestfs/testkit";

const folder = mkdtempSync(join(tmpdir(), "guestfsd-channels-"));
const channels = ["0", "1"].map((name) => join(folder, `${name}.sock`)) as [string, string];
const bundle = fileURLToPath(new URL("../../dist/bundle/guestfsd.cjs", import.meta.url));
const daemon = spawn(
  process.execPath,
  [bundle, "-l", "-c", channels[0], "-c", channels[1], "--sysroot", folder, "--run-dir", folder],
  { stdio: ["ignore", "ignore", "inherit"] },
);
const ended = new Promise((settle) => daemon.once("exit", settle));

/** Its socket is there a little before it listens. */
async function reach(channel: string): Promise<RawClient> {
  for (let tries = 0; ; tries++) {
    try {
      return await RawClient.connect(channel);
    } catch (error) {
      if (tries === 1000) throw error;
      await delay(10);
    }
  }
}

after(async () => {
  daemon.kill("SIGTERM");
  await ended;
  rmSync(folder, { recursive: true });
});

const workers = (): number[] =>
  readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/children`, "utf8").trim().split(" ").map(Number);

test("two clients work at the same time; the end of one's process is nothing to the other", async () => {
  const [one, two] = (await Promise.all(channels.map(reach))) as [RawClient, RawClient];
  one.send(one.encodeCall("sleep", { secs: 100_000 }));
  await two.call("mkdir", { path: "/made" });
  const pids = workers();
  assert.equal(pids.length, 2);
  // Of the two, the one that serves the first channel is known by what ends.
  for (const pid of pids) assert.match(readFileSync(`/proc/${pid}/cmdline`, "latin1"), /--channel/);
  const first = pids.find((pid) => readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(channels[0])) as number;
  rmSync(channels[0]);
  process.kill(first, "SIGKILL");
  assert.equal(await one.frame(), undefined);
  await two.call("rmdir", { path: "/made" });
  const again = await reach(channels[0]);
  await again.call("ping_daemon");
  for (const client of [again, two]) client.close();
});
