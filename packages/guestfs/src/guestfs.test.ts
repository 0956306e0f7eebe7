import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, randomFillSync } from "node:crypto";
import {
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { startStockDaemon, whyNoStockDaemon } from "@guestfs/testkit";
import type { StockDaemon } from "@guestfs/testkit";
import {
  CancelledError,
  ConnectionClosedError,
  Guestfs,
  GuestfsError,
  RemoteError,
  UnsupportedError,
} from "./index.ts";

const skip = whyNoStockDaemon() ?? false;
const folder = mkdtempSync(join(tmpdir(), "guestfs-test-"));
after(() => rmSync(folder, { recursive: true }));

/** A handle that is READY, with the stock daemon on the other side. */
function withDaemon(name: string, use: (g: Guestfs, daemon: StockDaemon) => Promise<void>): void {
  test(name, { skip }, async () => {
    await using daemon = await startStockDaemon();
    await using g = new Guestfs({ environment: false });
    g.setBackend(`unix:${daemon.socketPath}`);
    await g.launch();
    await use(g, daemon);
  });
}

const text = (content: string): Uint8Array => new TextEncoder().encode(content);

withDaemon("files, directories and their properties", async (g) => {
  await g.mkdirP("/a/b");
  await g.write("/a/f", text("one\r\ntwo\nthree"));
  assert.equal(await g.cat("/a/f"), "one\r\ntwo\nthree");
  assert.deepEqual(await g.readLines("/a/f"), ["one", "two", "three"]);
  await g.writeAppend("/a/f", text("\n"));
  assert.equal((await g.stat("/a/f")).size, 15);
  await g.lnS("f", "/a/l");
  assert.equal((await g.lstat("/a/l")).mode & 0o170000, 0o120000);
  assert.equal((await g.statns("/a/l")).st_size, 15);
  assert.deepEqual(await g.ls("/a"), ["b", "f", "l"]);
  assert.deepEqual(await g.find("/"), ["a", "a/b", "a/f", "a/l"]);
  assert.deepEqual((await g.readdir("/a")).map(({ name, ftyp }) => `${ftyp}${name}`).sort(), [
    "d.",
    "d..",
    "db",
    "ll",
    "rf",
  ]);
  assert.deepEqual(await g.readlinklist("/a", ["l", "f"]), ["f", ""]);
  assert.deepEqual(
    (await g.lstatlist("/a", ["f", "none"])).map((stat) => stat.size),
    [15, 0],
  );
  assert.equal((await g.lstatnslist("/a", ["f"]))[0]?.st_size, 15);
});

withDaemon("names that are no UTF-8 come back as they are", async (g, daemon) => {
  writeFileSync(Buffer.concat([Buffer.from(`${daemon.sysroot}/`), Buffer.of(0xe4, 0x62)]), "latin");
  const [name] = await g.ls("/");
  assert.ok(name);
  assert.equal(await g.cat(`/${name}`), "latin");
  await g.rm(`/${name}`);
  assert.deepEqual(await g.ls("/"), []);
});

withDaemon("lists of thousands of names go in batches", async (g, daemon) => {
  const names = Array.from({ length: 2345 }, (_, index) => `f${String(index).padStart(5, "0")}`);
  for (const name of names) writeFileSync(join(daemon.sysroot, name), name === "f02344" ? "last" : "");
  assert.deepEqual(await g.ls("/"), names);
  const stats = await g.lstatlist("/", names);
  assert.equal(stats.length, 2345);
  assert.equal(stats.at(-1)?.size, 4);
  assert.equal((await g.readdir("/")).length, 2347);
  assert.equal((await g.readlinklist("/", names)).length, 2345);
});

withDaemon("content above the limit of one message", async (g) => {
  const content = new Uint8Array(2 * 1024 * 1024 + 5).fill(7);
  await g.write("/f", content);
  assert.equal(await g.filesize("/f"), content.length);
  await g.writeAppend("/f", content);
  assert.equal(await g.filesize("/f"), 2 * content.length);
  await g.writeAppend("/new", content);
  assert.equal(await g.filesize("/new"), content.length);
  assert.deepEqual(Buffer.from(await g.readFile("/new")), Buffer.from(content));
  await assert.rejects(
    g.pwrite("/f", new Uint8Array(4 * 1024 * 1024), 0),
    (error) => error instanceof RangeError && error.message.startsWith("pwrite: a message of"),
  );
  assert.equal(await g.filesize("/f"), 2 * content.length);
});

withDaemon("100 MB there and back, cancelled half-way, and on with the handle", async (g, daemon) => {
  const size = 100_000_000;
  const source = join(folder, "source");
  const target = join(folder, "target");
  const bytes = randomFillSync(Buffer.allocUnsafe(size));
  writeFileSync(source, bytes);
  const digest = createHash("sha256").update(bytes).digest("hex");
  await g.upload(source, "/big");
  assert.equal(await g.checksum("sha256", "/big"), digest);
  await g.download("/big", target);
  assert.equal(createHash("sha256").update(readFileSync(target)).digest("hex"), digest);

  const stop = new AbortController();
  let sent = 0;
  const half = (async function* () {
    for await (const piece of createReadStream(source) as AsyncIterable<Buffer>) {
      sent += piece.length;
      if (sent > size / 2) stop.abort();
      yield piece;
    }
  })();
  await assert.rejects(g.upload(half, "/half", { signal: stop.signal }), CancelledError);
  const written = await g.filesize("/half");
  assert.ok(written < size, `${written} bytes arrived`);

  const stopDownload = new AbortController();
  let received = 0;
  const sink = new PassThrough();
  sink.on("error", () => undefined);
  sink.on("data", (piece: Buffer) => {
    received += piece.length;
    if (received > size / 2) stopDownload.abort();
  });
  await assert.rejects(g.download("/big", sink, { signal: stopDownload.signal }), CancelledError);
  assert.ok(received < size);

  await g.write("/after", text("still there"));
  assert.equal(await g.cat("/after"), "still there");
  assert.equal(readFileSync(join(daemon.sysroot, "after"), "utf8"), "still there");
  rmSync(source);
  rmSync(target);
});

withDaemon("streams of every kind", async (g) => {
  const content = randomFillSync(Buffer.alloc(1_000_003));
  await g.upload(new Blob([content]).stream(), "/f");
  const sink = new PassThrough();
  const [received] = await Promise.all([buffer(sink), g.download("/f", sink)]);
  assert.deepEqual(received, content);
  const web = new TransformStream<Uint8Array, Uint8Array>();
  const [second] = await Promise.all([buffer(web.readable), g.download("/f", web.writable)]);
  assert.deepEqual(second, content);
  await g.uploadOffset([content.subarray(0, 10)], "/f", 5);
  assert.equal((await g.readFile("/f")).length, content.length);
  await g.downloadOffset("/f", join(folder, "part"), 5, 10);
  assert.deepEqual(readFileSync(join(folder, "part")), content.subarray(0, 10));
});

withDaemon("errors of the daemon", async (g) => {
  await assert.rejects(
    g.cat("/none"),
    (error) =>
      error instanceof RemoteError &&
      error.errno === "ENOENT" &&
      /^cat: .*\/none: No such file or directory$/.test(error.message),
  );
  await assert.rejects(g.readdir("/none"), { errno: "ENOENT", procedure: "readdir" });
  await assert.rejects(g.upload(text("x"), "/no/such"), { errno: "ENOENT", procedure: "upload" });
  await assert.rejects(g.upload(join(folder, "none"), "/f"), { code: "LOCAL" });
  await assert.rejects(g.mkdir("relative"), { name: "RemoteError", procedure: "mkdir" });
  assert.equal(await g.exists("/f"), false);
});

withDaemon("groups of features", async (g) => {
  assert.equal(await g.featureAvailable(["linuxfsuuid"]), true);
  await assert.rejects(g.featureAvailable(["nonsense"]), { name: "UnsupportedError" });
  await g.available(["linuxfsuuid"]);
  await assert.rejects(
    g.available(["nonsense"]),
    (error) =>
      error instanceof UnsupportedError &&
      error.message === "available: nonsense: unknown group" &&
      error.group === "nonsense",
  );
});

withDaemon("mountables", async (g) => {
  assert.equal(await g.mountableDevice("btrfsvol:/dev/null/sub/vol"), "/dev/null");
  assert.equal(await g.mountableSubvolume("btrfsvol:/dev/null/sub/vol"), "sub/vol");
  await assert.rejects(g.mountableSubvolume("/dev/null"), (error) => error instanceof GuestfsError);
});

withDaemon("trees from here to there and back", async (g) => {
  const tree = join(folder, "tree");
  mkdirSync(join(tree, "deep"), { recursive: true });
  writeFileSync(join(tree, "deep", "f"), "content");
  symlinkSync("deep/f", join(tree, "l"));
  await g.mkdir("/in");
  await g.copyIn(tree, "/in");
  await g.copyIn(join(tree, "deep", "f"), "/in");
  assert.deepEqual(await g.find("/in/"), ["f", "tree", "tree/deep", "tree/deep/f", "tree/l"]);
  const out = join(folder, "out");
  mkdirSync(out);
  await g.copyOut("/in/tree", out);
  await g.copyOut("/in/f", out);
  assert.deepEqual(readdirSync(out).sort(), ["f", "tree"]);
  assert.equal(readFileSync(join(out, "tree", "l"), "utf8"), "content");
  await assert.rejects(g.copyIn(join(folder, "none"), "/in"), { code: "LOCAL" });
  await assert.rejects(g.copyIn(tree, "/in/f"), /is no directory of the guest/);
  await assert.rejects(g.copyOut("/in", join(folder, "none")), /is no directory of this machine/);
  await g.mkdir("/dot");
  await g.copyIn(`${tree}/deep/.`, "/dot");
  assert.deepEqual(await g.find("/dot/"), ["f"]);
  await g.mkfifo(0o600, "/fifo");
  // A download of the one would never end, and what the other leads to is not what was asked for.
  for (const path of ["/none", "/fifo", "/in/tree/l"])
    await assert.rejects(g.copyOut(path, out), /is no folder and no regular file of the guest/, path);
  await assert.rejects(g.copyOut("/in/tree/..", out), /ends in \.\./);
  assert.equal(await g.getUmask(), 0o22);
});

withDaemon("autosync: shutdown syncs, the handle may be launched again", async (g) => {
  const calls: string[] = [];
  await g.write("/f", text("x"));
  await g.shutdown();
  assert.equal(g.isConfig(), true);
  g.on("enter", ({ procedure }) => calls.push(procedure));
  await using second = await startStockDaemon();
  g.setBackend(`unix:${second.socketPath}`);
  await g.launch();
  assert.equal(await g.exists("/f"), false);
  assert.deepEqual(calls, ["set_backend", "launch", "exists"]);
});

withDaemon("the daemon is killed in the middle of a call", async (g, daemon) => {
  const quit = new Promise((resolve) => g.on("subprocess_quit", resolve));
  const sleeping = g.sleep(60);
  setTimeout(() => process.kill(daemon.pid, "SIGKILL"), 50);
  await assert.rejects(
    sleeping,
    (error) => error instanceof ConnectionClosedError && error.message === "sleep: the daemon closed the connection",
  );
  await quit;
  assert.equal(g.isConfig(), true);
});

withDaemon("the daemon ends itself in the middle of an upload", async (g) => {
  await assert.rejects(
    g.internalRhbz914931(
      (async function* () {
        for (;;) yield new Uint8Array(65536);
      })(),
      // It takes one chunk a second, as many as this.
      1,
    ),
    ConnectionClosedError,
  );
});

withDaemon("traces of calls", async (g) => {
  const lines: string[] = [];
  g.on("trace", ({ message }) => lines.push(message));
  g.setTrace(true);
  await g.touch("/f");
  await g.exists("/f");
  await g.cat("/none").catch(() => undefined);
  g.setTrace(false);
  assert.deepEqual(lines.slice(0, 6), [
    'touch "/f"',
    "touch = 0",
    'exists "/f"',
    "exists = 1",
    'cat "/none"',
    "cat = NULL (error)",
  ]);
});

test("a handle that nobody closed does not keep the process, and is closed", { skip }, async () => {
  await using daemon = await startStockDaemon();
  const program = `
    import { Guestfs } from "guestfs";
    const g = new Guestfs({ environment: false });
    g.setBackend(${JSON.stringify(`unix:${daemon.socketPath}`)});
    g.on("close", () => console.log("closed"));
    await g.launch();
    await g.touch("/f");
    console.log("end");`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--conditions=source", "--import", "tsx", "--input-type=module", "-e", program],
    { cwd: import.meta.dirname },
  );
  assert.equal(stdout, "end\nclosed\n");
});
