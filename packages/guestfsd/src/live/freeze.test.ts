// Freezes filesystems of its own, in image files.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { RawClient, ReplyError, startOwnDaemon } from "@guestfs/testkit";
import type { OwnDaemon } from "@guestfs/testkit";

/** A filesystem of its own below the daemon's tree. */
function mountImage(daemon: OwnDaemon, folder: string, name: string): string {
  const image = join(folder, `${name}-${daemon.pid}.img`);
  execFileSync("truncate", ["-s", "16M", image]);
  execFileSync("mkfs.ext4", ["-q", "-F", image]);
  const place = join(daemon.sysroot, name);
  mkdirSync(place);
  execFileSync("mount", ["-o", "loop", image, place]);
  return place;
}

/** Connects for the time of a test, also when it fails: the next one would wait for it. */
async function connect(t: TestContext, daemon: OwnDaemon): Promise<RawClient> {
  const client = await RawClient.connect(daemon.socketPath);
  t.after(() => client.close());
  return client;
}

function whyNot(): string | undefined {
  if (process.geteuid?.() !== 0) return "mounting an image needs root";
  try {
    execFileSync("losetup", ["-f"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "there are no loop devices here";
  }
}

const reason = whyNot();
if (reason !== undefined) console.log(`skipped: ${reason}`);

describe("freezing", { skip: reason ?? false }, () => {
  const folder = mkdtempSync(join(tmpdir(), "guestfsd-freeze-"));
  const run = join(folder, "run");
  let daemon: OwnDaemon;
  let one: string;
  let two: string;

  before(async () => {
    writeFileSync(join(folder, "policy.json"), "{}");
    daemon = await startOwnDaemon({ args: ["-r", "--policy", join(folder, "policy.json"), "--run-dir", run] });
    one = mountImage(daemon, folder, "one");
    two = mountImage(daemon, folder, "two");
  });
  after(async () => {
    for (const place of [one, two]) execFileSync("umount", [place]);
    await daemon.stop();
    rmSync(folder, { recursive: true });
  });

  /** A program that writes, and how to see whether it could. */
  function writer(place: string, name: string): { child: ChildProcess; wrote(): boolean } {
    const child = spawn("sh", ["-c", `echo x > ${join(place, name)}`], { stdio: "ignore" });
    return { child, wrote: () => child.exitCode !== null };
  }
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await delay(10);
  };
  /** Waits until a program waits for the thaw. */
  const waits = async (child: ChildProcess): Promise<void> => {
    const state = (): string | undefined =>
      /^State:\s+(\S)/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1];
    await until(() => state() === "D");
  };
  const freeze = (client: RawClient, seconds: number, mountpoints: string[]): Promise<unknown> =>
    client.call("extension_freeze", { seconds, mountpoints });

  test("holds writers until the thaw, and refuses calls that would have to wait", async (t) => {
    const client = await connect(t, daemon);
    assert.equal(await freeze(client, 60, ["/one", "/two"]), 2);
    const { child, wrote } = writer(one, "held");
    await waits(child);
    assert.equal(wrote(), false);
    await assert.rejects(
      client.call("mkdir", { path: "/two/made" }),
      (error) => error instanceof ReplyError && error.errno === "EBUSY" && /frozen, for \d+ s more/.test(error.message),
    );
    await assert.rejects(freeze(client, 60, ["/one"]), /frozen, for/);
    assert.equal(await client.call("exists", { path: "/one/lost+found" }), true);
    assert.match(String(await client.call("extension_daemon_status")), /"frozen":\{"watcher":\d+,"secondsLeft":\d+\}/);
    assert.doesNotMatch(daemon.log(), /mkdir/);
    assert.equal(await client.call("extension_thaw"), 2);
    await until(wrote);
    await client.call("mkdir", { path: "/two/made" });
    assert.equal(await client.call("extension_thaw"), 0);
    assert.equal(existsSync(join(run, "frozen")), false);
    assert.match(daemon.log(), /mkdir path="\/two\/made": refused/);
  });

  test("ends with its client", async (t) => {
    const client = await connect(t, daemon);
    await freeze(client, 600, ["/one"]);
    const { child, wrote } = writer(one, "vanished");
    await waits(child);
    client.close();
    await until(wrote);
  });

  test("ends at its limit", async (t) => {
    const client = await connect(t, daemon);
    await freeze(client, 1, ["/one"]);
    const { wrote } = writer(one, "limit");
    await until(wrote);
    assert.equal(await client.call("extension_thaw"), 0);
    await client.call("mkdir", { path: "/one/after" });
  });

  test("is there for a client that reads only, and asks for times and places that make sense", async (t) => {
    const client = await connect(t, daemon);
    await client.call("extension_restrict", { readonly: true });
    assert.equal(await freeze(client, 60, ["/one"]), 1);
    assert.equal(await client.call("extension_thaw"), 1);
    await assert.rejects(freeze(client, 0, []), /0: the limit is 1 to 600 seconds/);
    await assert.rejects(freeze(client, 601, []), /601: the limit/);
    await assert.rejects(freeze(client, 9, ["/one/lost+found"]), /not a mount point/);
    await assert.rejects(freeze(client, 9, ["/nowhere"]), ReplyError);
    assert.deepEqual(readdirSync(run), []);
  });

  test("ends with a daemon that is killed", async (t) => {
    const other = await startOwnDaemon({ args: ["-r", "--policy", join(folder, "policy.json"), "--run-dir", run] });
    const place = mountImage(other, folder, "three");
    try {
      const client = await connect(t, other);
      await freeze(client, 600, ["/three"]);
      const { child, wrote } = writer(place, "killed");
      await waits(child);
      process.kill(other.pid, "SIGKILL");
      await until(wrote);
      await until(() => !existsSync(join(run, "frozen")));
    } finally {
      // What thawed it may hold it a moment longer.
      await until(() => spawnSync("umount", [place]).status === 0);
      await other.stop();
    }
  });

  /** The process that watches over a freeze. */
  const watcherOf = async (client: RawClient): Promise<number> => {
    const status = JSON.parse(String(await client.call("extension_daemon_status"))) as { frozen: { watcher: number } };
    return status.frozen.watcher;
  };

  test("one that fails thaws nothing that another program has frozen", async (t) => {
    const client = await connect(t, daemon);
    execFileSync("fsfreeze", ["-f", two]);
    try {
      for (const mountpoints of [["/two"], ["/one", "/two"], ["/two", "/one"]])
        await assert.rejects(freeze(client, 60, mountpoints), /two: frozen already, by another program/);
      await client.call("mkdir", { path: "/one/others" });
    } finally {
      // It fails on what is not frozen.
      execFileSync("fsfreeze", ["-u", two]);
    }
  });

  test("ends at once when the process that watches over it is killed", async (t) => {
    const client = await connect(t, daemon);
    await freeze(client, 600, ["/one"]);
    const { child, wrote } = writer(one, "unwatched");
    await waits(child);
    process.kill(await watcherOf(client), "SIGKILL");
    await until(wrote);
    await client.call("mkdir", { path: "/one/unwatched-folder" });
    assert.equal(await client.call("extension_thaw"), 0);
    assert.equal(await freeze(client, 60, ["/one"]), 1);
    assert.equal(await client.call("extension_thaw"), 1);
    assert.match(daemon.log(), /the process that watched over the freeze has gone/);
    assert.deepEqual(readdirSync(run), []);
  });

  test("what is left behind by a daemon and a watcher that are killed is thawed by the next daemon that is asked", async (t) => {
    const other = await startOwnDaemon({ args: ["-r", "--policy", join(folder, "policy.json"), "--run-dir", run] });
    const place = mountImage(other, folder, "four");
    try {
      const client = await connect(t, other);
      await freeze(client, 600, ["/four"]);
      const { child, wrote } = writer(place, "left");
      await waits(child);
      const watcher = await watcherOf(client);
      process.kill(watcher, "SIGSTOP");
      process.kill(other.pid, "SIGKILL");
      process.kill(watcher, "SIGKILL");
      await until(() => !existsSync(`/proc/${watcher}/fd/0`));
      const next = await connect(t, daemon);
      await next.call("mkdir", { path: "/one/next" });
      await until(wrote);
    } finally {
      await until(() => spawnSync("umount", [place]).status === 0);
      await other.stop();
    }
  });

  test("a note of a process whose number is another's by now, or of a time that is over, refuses nothing", async (t) => {
    const client = await connect(t, daemon);
    const start = readFileSync(`/proc/${process.pid}/stat`, "latin1")
      .replace(/^.*\) /, "")
      .split(" ")[19];
    for (const [started, left] of [
      ["1", 600_000],
      [start, -1],
    ] as const) {
      const now = Number(process.hrtime.bigint() / 1_000_000n);
      const note = { watcher: process.pid, started, until: now + left, folders: ["/nowhere"] };
      writeFileSync(join(run, "frozen"), JSON.stringify(note));
      await client.call("mkdir", { path: `/one/note-${left}` });
      assert.equal(await client.call("extension_thaw"), 0);
    }
    assert.deepEqual(readdirSync(run), []);
  });
});
