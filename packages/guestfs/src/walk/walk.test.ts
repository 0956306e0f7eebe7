import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { decodeText } from "@guestfs/protocol";
import type { Statns } from "@guestfs/schema";
import { startOwnDaemon, startScriptedPeer, startStockDaemon, whyNoStockDaemon } from "@guestfs/testkit";
import type { PeerConversation } from "@guestfs/testkit";
import { CancelledError, Guestfs, ProtocolError, RemoteError, StateError } from "../index.ts";
import type { WalkEntry, WalkOptions } from "../index.ts";
import { WalkRecords } from "./records.ts";

const root = process.geteuid?.() === 0;
const temporary = mkdtempSync(join(tmpdir(), "guestfs-walk-"));
after(() => rmSync(temporary, { recursive: true }));

async function open(socketPath: string): Promise<Guestfs> {
  const g = new Guestfs({ environment: false });
  g.setBackend(`unix:${socketPath}`);
  g.setAutosync(false);
  await g.launch();
  return g;
}

async function all(g: Guestfs, folder: string, options?: WalkOptions): Promise<WalkEntry[]> {
  const entries: WalkEntry[] = [];
  for await (const entry of g.walk(folder, options)) entries.push(entry);
  return entries;
}

/** Every kind of file, with names and times as nobody likes them. */
async function makeTree(top: string): Promise<void> {
  mkdirSync(join(top, "a/b/c"), { recursive: true });
  mkdirSync(join(top, "a.d"));
  mkdirSync(join(top, "a-b"));
  for (const name of ["a/file", "a/b/f", "a-b/x", "a.d/x", "new\nline", " ", "ü", "-rf", "tab\t", "%s", "\\", "\x01"])
    writeFileSync(join(top, name), name);
  writeFileSync(Buffer.concat([Buffer.from(`${top}/a/b/`), Buffer.from([0xff, 0xfe, 0x2e])]), "");
  symlinkSync(Buffer.from([0x78, 0x0a, 0x20, 0xff, 0x2f]), join(top, "a/odd-link"));
  symlinkSync("b", join(top, "a/folder-link"));
  symlinkSync("/nowhere", join(top, "dangling"));
  writeFileSync(join(top, "suid"), "x");
  chmodSync(join(top, "suid"), 0o6755);
  mkdirSync(join(top, "sticky"));
  chmodSync(join(top, "sticky"), 0o1777);
  writeFileSync(join(top, "nothing"), "");
  chmodSync(join(top, "nothing"), 0);
  execFileSync("truncate", ["-s", "5T", join(top, "sparse")]);
  execFileSync("mkfifo", [join(top, "fifo")]);
  for (const [name, date] of [
    ["old", "1969-12-31 23:59:58.25 UTC"],
    ["older", "1901-12-14 00:00:00.000000001 UTC"],
    ["epoch", "1970-01-01 00:00:00.5 UTC"],
    ["before", "1969-12-31 23:59:59.75 UTC"],
    ["later", "2039-01-01 00:00:00.123456789 UTC"],
  ] as const)
    execFileSync("touch", ["-d", date, join(top, name)]);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(top, "a/socket"), resolve));
  // Closing it would take the file away.
  execFileSync("mv", [join(top, "a/socket"), join(top, "socket")]);
  await new Promise((resolve) => server.close(resolve));
  if (!root) return;
  mkdirSync(join(top, "dev"));
  for (const [name, type, major, minor] of [
    ["null", "c", "1", "3"],
    ["disk", "b", "8", "17"],
    ["large", "b", "4000", "1000000"],
  ] as const)
    execFileSync("mknod", [join(top, "dev", name), type, major, minor]);
}

/** Paths in the order that is promised. */
function pathsBelow(top: string, inside = ""): string[] {
  const names = readdirSync(`${top}${inside}`, { encoding: "buffer", withFileTypes: true });
  return names
    .sort((one, other) => Buffer.compare(one.name, other.name))
    .flatMap((entry) => {
      const path = `${inside}/${decodeText(entry.name)}`;
      return entry.isDirectory() ? [path, ...pathsBelow(top, path)] : [path];
    });
}

/** What two ways to ask have to agree on. */
function comparable(stat: Partial<Statns>): Record<string, unknown> {
  // Being read gives folders and links a new time of access.
  const isRead = [0o040000, 0o120000].includes((stat.st_mode ?? 0) & 0o170000);
  const times = isRead ? ["st_atime_sec", "st_atime_nsec"] : [];
  return Object.fromEntries(
    Object.entries(stat).filter(([name]) => !/spare|blksize/.test(name) && !times.includes(name)),
  );
}

async function checkTree(g: Guestfs, sysroot: string): Promise<void> {
  await makeTree(join(sysroot, "top"));
  const entries = await all(g, "/top//");
  assert.deepEqual(
    entries.map(({ path }) => path),
    pathsBelow(sysroot, "/top"),
  );
  for (const { path, stat, target } of entries) {
    assert.deepEqual(comparable(stat), comparable(await g.lstatns(path)), path);
    assert.equal(target, (await g.isSymlink(path)) ? await g.readlink(path) : "", path);
  }
  assert.deepEqual(
    (await all(g, "/top", { maxdepth: 1 })).map(({ path }) => path),
    entries.filter(({ path }) => path.split("/").length === 3).map(({ path }) => path),
  );
  assert.deepEqual(
    (await all(g, "/top", { maxdepth: 2 })).map(({ path }) => path),
    entries.filter(({ path }) => path.split("/").length <= 4).map(({ path }) => path),
  );
  assert.deepEqual(
    (await all(g, "/top/a/folder-link")).map(({ path }) => path.slice("/top/a/folder-link".length)),
    ["/c", "/f", "/\udcff\udcfe."],
  );
  assert.deepEqual(await all(g, "/top/sticky"), []);
  const fails = (path: string, errno: string): Promise<void> =>
    assert.rejects(all(g, path), (error) => {
      assert.ok(error instanceof RemoteError);
      assert.equal(error.errno, errno);
      assert.match(error.message, /^walk: /);
      assert.match(error.stack ?? "", /walk\.test/);
      return true;
    });
  await fails("/no/such", "ENOENT");
  await fails("/top/suid", "ENOTDIR");
  for await (const { path } of g.walk("/top")) assert.ok((await g.lstatns(path)).st_ino > 0n);
}

describe("everything below a folder is what lstatns says of each", () => {
  test("with our daemon", async () => {
    await using daemon = await startOwnDaemon();
    await using g = await open(daemon.socketPath);
    await checkTree(g, daemon.sysroot);
  });

  test("with our daemon, when its policy has no such call", async () => {
    const policy = join(temporary, "policy.json");
    writeFileSync(policy, JSON.stringify({ calls: { deny: ["extension_walk"] } }));
    await using daemon = await startOwnDaemon({
      args: ["-r", "--policy", policy, "--run-dir", join(temporary, "run")],
    });
    await using g = await open(daemon.socketPath);
    await checkTree(g, daemon.sysroot);
  });

  test("with the stock daemon", { skip: whyNoStockDaemon() ?? false }, async () => {
    await using daemon = await startStockDaemon();
    await using g = await open(daemon.socketPath);
    await checkTree(g, daemon.sysroot);
  });
});

test("a policy that denies paths keeps a walk away from them, and from nothing else", async () => {
  const policy = join(temporary, "paths.json");
  writeFileSync(policy, JSON.stringify({ paths: { deny: ["/etc/ssl/private"] } }));
  await using daemon = await startOwnDaemon({ args: ["-r", "--policy", policy, "--run-dir", join(temporary, "run")] });
  await using g = await open(daemon.socketPath);
  mkdirSync(join(daemon.sysroot, "etc/ssl/private"), { recursive: true });
  mkdirSync(join(daemon.sysroot, "etc/apt/conf"), { recursive: true });
  writeFileSync(join(daemon.sysroot, "etc/ssl/private/key"), "");
  const paths = async (folder: string, options?: WalkOptions): Promise<string[]> =>
    (await all(g, folder, options)).map(({ path }) => path);
  assert.deepEqual(await paths("/etc", { maxdepth: 1 }), ["/etc/apt", "/etc/ssl"]);
  assert.deepEqual(await paths("/etc/apt"), ["/etc/apt/conf"]);
  const seen: string[] = [];
  const walk = (async () => {
    for await (const { path } of g.walk("/")) seen.push(path);
  })();
  await assert.rejects(walk, { name: "RemoteError", errno: "EACCES" });
  assert.deepEqual(seen, ["/etc", "/etc/apt", "/etc/apt/conf", "/etc/ssl"]);
  await assert.rejects(all(g, "/etc/ssl/private"), { name: "RemoteError", errno: "EACCES" });
});

test("a tree that changes all the time", async () => {
  await using daemon = await startOwnDaemon();
  await using g = await open(daemon.socketPath);
  mkdirSync(join(daemon.sysroot, "stays"));
  const script = `cd "$0"; while :; do for n in 1 2 3 4 5 6 7 8; do mkdir -p d$n/e/f; : > d$n/e/g; done; rm -rf d?; done`;
  const busy = spawn("sh", ["-c", script, daemon.sysroot], { stdio: "ignore" });
  try {
    for (let i = 0; i < 40; i++) {
      const paths = (await all(g, "/")).map(({ path }) => path);
      assert.ok(paths.includes("/stays"), paths.join());
    }
  } finally {
    busy.kill();
    await new Promise((resolve) => busy.once("close", resolve));
  }
});

test("stopping: by leaving the loop, by a signal, by closing the handle", async () => {
  await using daemon = await startOwnDaemon();
  await using g = await open(daemon.socketPath);
  mkdirSync(join(daemon.sysroot, "a/b"), { recursive: true });
  for await (const { path } of g.walk("/")) {
    assert.equal(path, "/a");
    break;
  }
  await assert.rejects(all(g, "/", { signal: AbortSignal.abort() }), CancelledError);
  const stop = new AbortController();
  const late = all(g, "/", { signal: stop.signal });
  stop.abort();
  await assert.rejects(late, CancelledError);
  assert.equal((await all(g, "/")).length, 2);
  await g.close();
  assert.throws(() => g.walk("/"), StateError);
});

test("arguments that make no sense", async () => {
  await using g = new Guestfs({ environment: false });
  assert.throws(() => g.walk(1 as never), /^TypeError: walk: directory: must be a string/);
  assert.throws(() => g.walk("/", { maxdepth: 0 }), RangeError);
  assert.throws(() => g.walk("/", { maxdepth: 1.5 }), RangeError);
  assert.throws(() => g.walk("/", { depth: 1 } as never), /^TypeError: walk: unknown option depth; there are maxdepth/);
  await assert.rejects(all(g, "/"), { name: "StateError", procedure: "walk" });
});

describe("a daemon that sends nonsense", () => {
  const fields = (letter = "f"): string => `2049 12 644 ${letter} 1 0 0 5 8 1.0000000000 -2.5000000000 3.1234567890 `;
  const stat = `${fields()}\0`;

  async function answered(
    send: (peer: PeerConversation) => void | Promise<void>,
    use: (g: Guestfs) => Promise<void>,
  ): Promise<void> {
    await using peer = await startScriptedPeer(async (conversation) => {
      conversation.greet();
      conversation.reply(await conversation.call(), 0);
      conversation.reply(await conversation.call(), 256 * 1024);
      const call = await conversation.call();
      assert.equal(call.row.name, "extension_walk");
      conversation.reply(call);
      await send(conversation);
      conversation.reply(await conversation.call(), 0o77);
    });
    await using g = await open(peer.socketPath);
    await use(g);
    assert.equal(await g.getUmask(), 0o77);
    await peer.ended;
  }

  const sent = (text: string, use: (g: Guestfs) => Promise<void>): Promise<void> =>
    answered((peer) => {
      if (text !== "") peer.chunk({ type: "data", data: Buffer.from(text, "latin1") });
      peer.chunk({ type: "end" });
    }, use);

  test("a good one, for comparison", () =>
    sent(`${stat}b\0${stat}a-b\0${fields("d")}\0a\0${stat}a/x\0`, async (g) => {
      const entries = await all(g, "/t");
      assert.deepEqual(
        entries.map(({ path }) => path),
        ["/t/a", "/t/a/x", "/t/a-b", "/t/b"],
      );
      assert.deepEqual(entries[3]?.stat, {
        st_dev: 2049,
        st_ino: 12n,
        st_mode: 0o100644,
        st_nlink: 1,
        st_uid: 0,
        st_gid: 0,
        st_rdev: 0,
        st_size: 5,
        st_blocks: 8,
        st_atime_sec: 1,
        st_atime_nsec: 0,
        st_mtime_sec: -2,
        st_mtime_nsec: 500000000,
        st_ctime_sec: 3,
        st_ctime_nsec: 123456789,
      });
    }));

  for (const [what, text] of [
    ["no end of a path", `${stat}name`],
    ["no path", stat],
    ["an empty path", `${stat}\0`],
    ["an absolute path", `${stat}/a\0`],
    ["a way up", `${stat}a/../../b\0`],
    ["a slash at the end", `${stat}a/\0`],
    ["an unknown type", `${fields("Q")}\0a\0`],
    ["a number that is none", `2049 twelve${stat.slice(7)}a\0`],
    ["a size beyond all", `${stat.replace(" 5 ", " 99999999999999999999 ")}a\0`],
    ["too few fields", "1 2 3\0a\0"],
    ["a time without an end", `${stat.replace("1.0000000000", `1.${"0".repeat(1000)}`)}a\0`],
  ] as const)
    test(what, () => sent(text, (g) => assert.rejects(all(g, "/"), ProtocolError)));

  test("megabytes of records without fields are not sorted first", () => {
    const count = 4 * 1024 * 1024;
    const before = process.memoryUsage().heapUsed;
    assert.throws(() => new WalkRecords(Buffer.alloc(3 * count, "\0a\0"), "/"), ProtocolError);
    assert.ok(process.memoryUsage().heapUsed - before < 50 * 1024 * 1024);
  });

  test("megabytes without an end", () =>
    answered(
      async (peer) => {
        const data = Buffer.alloc(256 * 1024, "x");
        for (let i = 0; i < 8; i++) peer.chunk({ type: "data", data });
        assert.equal((await peer.frame())?.type, "cancel");
        peer.chunk({ type: "cancel" });
      },
      (g) => assert.rejects(all(g, "/"), ProtocolError),
    ));

  test("one that breaks off is asked in the old way", async () => {
    await using peer = await startScriptedPeer(async (conversation) => {
      conversation.greet();
      conversation.reply(await conversation.call(), 0);
      conversation.reply(await conversation.call(), 256 * 1024);
      conversation.reply(await conversation.call());
      conversation.chunk({ type: "data", data: Buffer.from(`${stat}b\0`) });
      conversation.chunk({ type: "cancel" });
      const call = await conversation.call();
      assert.equal(call.row.name, "ls0");
      conversation.replyError(call, "EACCES", "/: Permission denied");
    });
    await using g = await open(peer.socketPath);
    await assert.rejects(all(g, "/"), { name: "RemoteError", errno: "EACCES" });
    await peer.ended;
  });

  test("more than is held at once is taken apart", async () => {
    // Each record as long as one can be.
    const long = (name: string, letter = "f"): Buffer => Buffer.from(`${fields(letter)}${"x".repeat(4000)}\0${name}\0`);
    const asked: string[] = [];
    await using peer = await startScriptedPeer(async (conversation) => {
      conversation.greet();
      conversation.reply(await conversation.call(), 0);
      conversation.reply(await conversation.call(), 256 * 1024);
      const answer = async (data: readonly Buffer[]): Promise<void> => {
        const call = await conversation.call();
        asked.push(`${String(call.args["directory"])} ${String(call.args["maxdepth"])}`);
        conversation.reply(call);
        for (const piece of data) conversation.chunk({ type: "data", data: piece });
      };
      await answer(Array.from({ length: 80 }, () => Buffer.concat(Array.from({ length: 60 }, () => long("d/f")))));
      assert.equal((await conversation.frame())?.type, "cancel");
      conversation.chunk({ type: "cancel" });
      await answer([long("f"), long("d", "d")]);
      conversation.chunk({ type: "end" });
      await answer([long("e"), long("c")]);
      conversation.chunk({ type: "end" });
    });
    await using g = await open(peer.socketPath);
    const paths = (await all(g, "/t")).map(({ path }) => path);
    assert.deepEqual(paths, ["/t/d", "/t/d/c", "/t/d/e", "/t/f"]);
    assert.deepEqual(asked, ["/t 0", "/t 1", "/t/d 0"]);
    await peer.ended;
  });
});
