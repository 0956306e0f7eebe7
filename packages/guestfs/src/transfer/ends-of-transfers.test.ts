import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { after, test } from "node:test";
import { startScriptedPeer } from "@guestfs/testkit";
import { CancelledError, Guestfs, RemoteError, StateError } from "../index.ts";
import { PathSink } from "./path-sink.ts";

const folder = mkdtempSync(join(tmpdir(), "ends-of-transfers-test-"));
after(() => rmSync(folder, { recursive: true }));

const content = Buffer.alloc(300_000, "content ");

/** A handle whose peer takes uploads, and sends `content`; what it took is in `uploads`. */
async function withPeer(use: (g: Guestfs, uploads: Uint8Array[]) => Promise<void>): Promise<void> {
  const uploads: Uint8Array[] = [];
  await using peer = await startScriptedPeer(async (conversation) => {
    conversation.greet();
    for (;;) {
      const call = await conversation.call();
      if (call.row.name === "internal_feature_available") conversation.reply(call, 2);
      else if (call.row.name === "upload") {
        const { bytes, cancelled } = await conversation.content();
        if (!cancelled) uploads.push(bytes);
        if (cancelled) conversation.replyError(call, "EINTR", "cancelled");
        else conversation.reply(call);
      } else if (call.args["remotefilename"] === "/none")
        conversation.replyError(call, "ENOENT", "No such file or directory");
      else {
        conversation.reply(call);
        for (let at = 0; at < content.length; at += 8000)
          conversation.chunk({ type: "data", data: content.subarray(at, at + 8000) });
        conversation.chunk({ type: "end" });
      }
    }
  });
  // Its script ends with the client.
  peer.ended.catch(() => undefined);
  await using g = new Guestfs({ environment: false, closeTimeout: 100 });
  g.setBackend(`unix:${peer.socketPath}`);
  g.setAutosync(false);
  await g.launch();
  await use(g, uploads);
}

function makeFifo(name: string): string {
  const path = join(folder, name);
  execFileSync("mkfifo", [path]);
  return path;
}

function openDescriptors(path: string): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path);
    } catch {
      return false;
    }
  }).length;
}

async function aborted(call: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const stop = new AbortController();
  const running = call(stop.signal);
  setTimeout(() => stop.abort(), 50);
  await assert.rejects(running, CancelledError);
}

test("an upload from a pipe waits for a writer", () =>
  withPeer(async (g, uploads) => {
    const path = makeFifo("late-writer");
    const upload = g.upload(path, "/f");
    const writer = spawn("sh", ["-c", "sleep 0.1; printf one; sleep 0.1; printf two"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const copy = spawn("sh", ["-c", 'cat > "$0"', path], { stdio: [writer.stdout, "ignore", "ignore"] });
    await upload;
    assert.equal(Buffer.from(uploads[0] as Uint8Array).toString(), "onetwo");
    copy.kill();
  }));

test("an upload from a pipe that nobody writes to, or whose writer is silent, can be stopped", () =>
  withPeer(async (g, uploads) => {
    const path = makeFifo("no-writer");
    await aborted((signal) => g.upload(path, "/f", { signal }));
    const silent = spawn("sh", ["-c", 'exec sleep 60 > "$0"', path], { stdio: "ignore" });
    await aborted((signal) => g.upload(path, "/f", { signal }));
    silent.kill();
    await g.upload(Buffer.from("next"), "/f");
    assert.equal(uploads.length, 1);
    assert.equal(openDescriptors(path), 0);
  }));

test("a download to a pipe waits for a reader, and can be stopped before", () =>
  withPeer(async (g) => {
    const path = makeFifo("reader");
    await aborted((signal) => g.download("/f", path, { signal }));
    // It has its turn behind the end of the download.
    await g.upload(Buffer.from("next"), "/f");
    const download = g.download("/f", path);
    const read = readFile(path);
    await download;
    assert.deepEqual(await read, content);
    assert.equal(openDescriptors(path), 0);
  }));

test("a file that is being opened while its download is given up", async () => {
  const path = join(folder, "given-up");
  const sink = new PathSink(path);
  const opening = sink.open();
  await sink.abort(new Error("enough"));
  await opening;
  assert.equal(openDescriptors(path), 0);
});

test("a stream that never takes what it gets holds up neither later calls nor close", () =>
  withPeer(async (g, uploads) => {
    const stuck = new WritableStream({ write: () => new Promise<void>(() => undefined) });
    await aborted((signal) => g.download("/f", stuck, { signal }));
    await g.upload(Buffer.from("next"), "/f");
    assert.equal(uploads.length, 1);
  }));

test("downloads to standard output leave nothing on it", () =>
  withPeer(async (g) => {
    const counts = (): number[] => ["error", "close", "drain"].map((event) => process.stdout.listenerCount(event));
    const before = counts();
    const write = process.stdout.write.bind(process.stdout) as (...args: unknown[]) => boolean;
    // What the test runner writes goes on.
    const other = (...args: unknown[]): boolean =>
      Buffer.from(args[0] as Uint8Array).indexOf("content ") === 0 || write(...args);
    process.stdout.write = other;
    try {
      const all = Array.from({ length: 12 }, () => g.download("/f", process.stdout));
      // Else Node warns of a leak.
      assert.ok(process.stdout.listenerCount("error") < (before[0] as number) + 3);
      await Promise.all(all);
    } finally {
      process.stdout.write = write;
    }
    assert.deepEqual(counts(), before);
  }));

test("streams of the web are unlocked after their transfer", () =>
  withPeer(async (g, uploads) => {
    const source = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Buffer.from("web"));
        controller.close();
      },
    });
    await g.upload(source, "/f");
    assert.equal(Buffer.from(uploads[0] as Uint8Array).toString(), "web");
    assert.equal(source.locked, false);
    const sink = new WritableStream();
    await g.download("/f", sink);
    assert.equal(sink.locked, false);
  }));

test("a stream to write to is destroyed however its call fails, and left alone when an argument is wrong", () =>
  withPeer(async (g) => {
    const streams: Writable[] = [];
    const stream = (): Writable => {
      const made = new Writable({ write: (_piece, _encoding, done) => done() });
      streams.push(made);
      return made;
    };
    await assert.rejects(g.download("/none", stream()), RemoteError);
    await assert.rejects(g.download("/f", stream(), { signal: AbortSignal.abort() }), CancelledError);
    await using config = new Guestfs({ environment: false });
    await assert.rejects(config.download("/f", stream()), StateError);
    assert.deepEqual(
      streams.map(({ destroyed }) => destroyed),
      [true, true, true],
    );
    const untouched = stream();
    await assert.rejects(g.download(1 as never, untouched), TypeError);
    assert.equal(untouched.destroyed, false);
    await assert.rejects(g.download("/f", { write: () => true, end: () => undefined } as never), {
      name: "TypeError",
      message: /^download: filename: must be a path or a writable stream/,
    });
  }));
