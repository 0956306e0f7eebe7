import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { after, test } from "node:test";
import { chunkMax, encodeFlag, windowFlag } from "@guestfs/protocol";
import { startScriptedPeer } from "@guestfs/testkit";
import type { PeerConversation, ReceivedCall } from "@guestfs/testkit";
import { CancelledError, ConnectionClosedError, Guestfs, GuestfsError, ProtocolError, RemoteError } from "../index.ts";

const folder = mkdtempSync(join(tmpdir(), "transfer-test-"));
after(() => rmSync(folder, { recursive: true }));

/** Answers the question for extensions as the stock daemon does. */
async function transferCall(peer: PeerConversation): Promise<ReceivedCall> {
  const question = await peer.call();
  assert.equal(question.row.name, "internal_feature_available");
  peer.reply(question, 2);
  return peer.call();
}

/**
 * After whatever the script does, the peer answers one more call: the handle must be usable.
 * @param script - calls `reached` where `use` waits for it
 */
async function transfer(
  script: (peer: PeerConversation, reached: () => void) => Promise<void>,
  use: (g: Guestfs, reached: Promise<void>) => Promise<void>,
): Promise<void> {
  let reach!: () => void;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  await using peer = await startScriptedPeer(async (conversation) => {
    conversation.greet();
    await script(conversation, reach);
    conversation.reply(await conversation.call(), 0o77);
  });
  await using g = new Guestfs({ environment: false, closeTimeout: 1 });
  g.setBackend(`unix:${peer.socketPath}`);
  g.setAutosync(false);
  await g.launch();
  await use(g, reached);
  assert.equal(await g.getUmask(), 0o77);
  await peer.ended;
}

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7) & 0xff);
}

for (const length of [0, 1, chunkMax - 1, chunkMax, chunkMax + 1, 40 * chunkMax + 5])
  for (const kind of ["path", "bytes", "iterable", "Readable", "ReadableStream"] as const)
    test(`upload of ${length} bytes from ${kind}`, () =>
      transfer(
        async (peer) => {
          const call = await transferCall(peer);
          assert.equal(call.row.name, "upload");
          assert.equal(call.header.progressHint, kind === "path" || kind === "bytes" ? length : 0);
          const { bytes, cancelled } = await peer.content();
          assert.equal(cancelled, false);
          assert.deepEqual(Buffer.from(bytes), Buffer.from(pattern(length)));
          peer.reply(call);
        },
        async (g) => {
          const bytes = pattern(length);
          const path = join(folder, "source");
          writeFileSync(path, bytes);
          const pieces = function* (): Iterable<Uint8Array> {
            for (let at = 0; at < bytes.length; at += 5000) yield bytes.subarray(at, at + 5000);
            yield new Uint8Array(0);
          };
          const sources = {
            path: () => path,
            bytes: () => bytes,
            iterable: () => pieces(),
            Readable: () => Readable.from(pieces(), { objectMode: false }),
            ReadableStream: () => new Blob([bytes]).stream(),
          };
          await g.upload(sources[kind](), "/f");
        },
      ));

const stopped = new Error("the source broke");
async function* endless(): AsyncIterable<Uint8Array> {
  for (;;) yield pattern(1000);
}

test("the daemon cancels an upload: the rest is not sent, its error is the call's", () =>
  transfer(
    async (peer) => {
      const call = await transferCall(peer);
      peer.cancel();
      assert.equal((await peer.content()).cancelled, true);
      peer.replyError(call, "ENOSPC", "/f: No space left on device");
    },
    async (g) => {
      let closed = false;
      async function* source(): AsyncIterable<Uint8Array> {
        try {
          yield* endless();
        } finally {
          closed = true;
        }
      }
      await assert.rejects(g.upload(source(), "/f"), {
        name: "RemoteError",
        errno: "ENOSPC",
        message: "upload: /f: No space left on device",
      });
      assert.equal(closed, true);
    },
  ));

test("the daemon cancels after the end was sent: the flag is passed over", () =>
  transfer(
    async (peer) => {
      const call = await transferCall(peer);
      assert.equal((await peer.content()).cancelled, false);
      peer.cancel();
      peer.replyError(call, "EIO", "late");
    },
    (g) => assert.rejects(g.upload(pattern(10), "/f"), RemoteError),
  ));

test("the daemon cancels while the source gives nothing", () =>
  transfer(
    async (peer) => {
      const call = await transferCall(peer);
      peer.cancel();
      assert.equal((await peer.content()).cancelled, true);
      peer.replyError(call, "EROFS", "read-only");
    },
    (g) => assert.rejects(g.upload(new Readable({ read() {} }), "/f"), { errno: "EROFS" }),
  ));

test("a source that fails cancels the upload", () =>
  transfer(
    async (peer) => {
      const call = await transferCall(peer);
      assert.equal((await peer.content()).cancelled, true);
      peer.replyError(call, "", "file upload cancelled");
    },
    (g) =>
      assert.rejects(
        g.upload(
          (async function* () {
            yield pattern(100_000);
            throw stopped;
          })(),
          "/f",
        ),
        (error) =>
          error instanceof GuestfsError &&
          error.code === "LOCAL" &&
          error.cause === stopped &&
          /^upload: .*the source broke/.test(error.message),
      ),
  ));

test("a source that gives text cancels the upload", () =>
  transfer(
    async (peer) => {
      const call = await transferCall(peer);
      assert.equal((await peer.content()).cancelled, true);
      peer.replyError(call, "", "file upload cancelled");
    },
    (g) => assert.rejects(g.upload(["text"] as never, "/f"), /only Uint8Array may come/),
  ));

test("a source that can't be opened: nothing is sent", () =>
  transfer(
    () => Promise.resolve(),
    async (g) => {
      await assert.rejects(
        g.upload(join(folder, "missing"), "/f"),
        (error) =>
          error instanceof GuestfsError && error.code === "LOCAL" && error.message.startsWith("upload: ENOENT"),
      );
      await assert.rejects(g.upload(folder, "/f"), /EISDIR/);
    },
  ));

for (const how of ["signal", "userCancel"] as const) {
  test(`${how} stops an upload`, () =>
    transfer(
      async (peer) => {
        const call = await transferCall(peer);
        assert.equal((await peer.content()).cancelled, true);
        peer.replyError(call, "", "file upload cancelled");
      },
      async (g) => {
        const stop = new AbortController();
        const stopIt = (): void => (how === "signal" ? stop.abort() : g.userCancel());
        let count = 0;
        const source = (async function* () {
          for await (const piece of endless()) {
            if (++count === 2000) stopIt();
            yield piece;
          }
        })();
        await assert.rejects(
          g.upload(source, "/f", { signal: stop.signal }),
          (error) => error instanceof CancelledError && error.errno === "EINTR",
        );
      },
    ));

  test(`${how} stops a download, and what comes afterwards is dropped`, () =>
    transfer(
      async (peer, reached) => {
        const call = await transferCall(peer);
        reached();
        peer.reply(call);
        peer.chunk({ type: "data", data: pattern(100) });
        const frame = await peer.frame();
        assert.equal(frame?.type, "cancel");
        peer.chunk({ type: "data", data: pattern(100) });
        peer.chunk({ type: "cancel" });
      },
      async (g, reached) => {
        const stop = new AbortController();
        const download = g.download("/f", join(folder, "stopped"), { signal: stop.signal });
        await reached;
        if (how === "signal") stop.abort();
        else g.userCancel();
        await assert.rejects(download, CancelledError);
      },
    ));
}

test("a download that is cancelled before the reply", () =>
  transfer(
    async (peer, reached) => {
      const call = await transferCall(peer);
      reached();
      assert.equal((await peer.frame())?.type, "cancel");
      peer.replyError(call, "ENOENT", "/f: No such file or directory");
    },
    async (g, reached) => {
      const download = g.download("/f", join(folder, "early"));
      await reached;
      g.userCancel();
      await assert.rejects(download, CancelledError);
      await assert.rejects(async () => readFileSync(join(folder, "early")), { code: "ENOENT" });
    },
  ));

test("a download whose cancellation comes after its end", () =>
  transfer(
    async (peer, reached) => {
      const call = await transferCall(peer);
      reached();
      assert.equal((await peer.frame())?.type, "cancel");
      peer.reply(call);
      peer.chunk({ type: "data", data: pattern(3) });
      peer.chunk({ type: "end" });
    },
    async (g, reached) => {
      const download = g.download("/f", join(folder, "late"));
      await reached;
      g.userCancel();
      await assert.rejects(download, CancelledError);
    },
  ));

function collector(): { readonly stream: Writable; bytes(): Buffer } {
  const pieces: Buffer[] = [];
  const stream = new Writable({
    highWaterMark: 1,
    write(piece: Buffer, _encoding, done) {
      pieces.push(piece);
      setImmediate(done);
    },
  });
  return { stream, bytes: () => Buffer.concat(pieces) };
}

for (const length of [0, 1, 70 * chunkMax + 3, 300 * chunkMax])
  for (const kind of ["path", "Writable", "WritableStream"] as const)
    test(`download of ${length} bytes to ${kind}`, () =>
      transfer(
        async (peer) => {
          const call = await transferCall(peer);
          const bytes = pattern(length);
          peer.reply(call);
          for (let at = 0; at < length; at += chunkMax)
            peer.chunk({ type: "data", data: bytes.subarray(at, at + chunkMax) });
          peer.chunk({ type: "end" });
        },
        async (g) => {
          const path = join(folder, "target");
          const slow = collector();
          const sinks = {
            path: () => path,
            Writable: () => slow.stream,
            WritableStream: () => Writable.toWeb(slow.stream) as WritableStream<Uint8Array>,
          };
          await g.download("/f", sinks[kind]());
          const received = kind === "path" ? readFileSync(path) : slow.bytes();
          assert.deepEqual(received, Buffer.from(pattern(length)));
        },
      ));

const sinkFailed = new Error("the sink broke");
const brokenSinks: Readonly<Record<string, () => string | Writable | WritableStream<Uint8Array>>> = {
  "a path that can't be made": () => join(folder, "no", "such", "folder"),
  "a full device": () => "/dev/full",
  "a Writable that fails": () =>
    new Writable({
      write(_piece, _encoding, done) {
        done(sinkFailed);
      },
    }),
  "a Writable that was destroyed": () => new Writable({}).destroy(),
  "a WritableStream that fails": () => new WritableStream({ write: () => Promise.reject(sinkFailed) }),
};

for (const [name, make] of Object.entries(brokenSinks))
  test(`${name} cancels the download`, () =>
    transfer(
      async (peer) => {
        peer.reply(await transferCall(peer));
        for (let i = 0; i < 200; i++) peer.chunk({ type: "data", data: pattern(chunkMax) });
        const frame = await peer.frame();
        assert.equal(frame?.type, "cancel");
        peer.chunk({ type: "cancel" });
      },
      (g) =>
        assert.rejects(g.download("/f", make()), (error) => error instanceof GuestfsError && error.code === "LOCAL"),
    ));

test("a sink that fails at the end", () =>
  transfer(
    async (peer) => {
      peer.reply(await transferCall(peer));
      peer.chunk({ type: "data", data: pattern(5) });
      peer.chunk({ type: "end" });
    },
    (g) =>
      assert.rejects(g.download("/f", "/dev/full"), (error) => error instanceof GuestfsError && error.code === "LOCAL"),
  ));

test("the daemon cancels a download", () =>
  transfer(
    async (peer) => {
      peer.reply(await transferCall(peer));
      peer.chunk({ type: "data", data: pattern(5) });
      peer.chunk({ type: "cancel" });
    },
    (g) =>
      assert.rejects(g.download("/f", join(folder, "broken")), {
        name: "RemoteError",
        message: "download: file receive cancelled by daemon",
      }),
  ));

test("a download that fails leaves the target as it was", () =>
  transfer(
    async (peer) => peer.replyError(await transferCall(peer), "ENOENT", "/f: No such file or directory"),
    async (g) => {
      const path = join(folder, "precious");
      writeFileSync(path, "precious");
      await assert.rejects(g.download("/f", path), RemoteError);
      assert.equal(readFileSync(path, "utf8"), "precious");
    },
  ));

test("progress comes in the middle of transfers", () =>
  transfer(
    async (peer) => {
      const up = await transferCall(peer);
      peer.progress(up, 1, 2);
      await peer.content();
      peer.reply(up);
      const down = await peer.call();
      peer.reply(down);
      peer.chunk({ type: "data", data: pattern(5) });
      peer.progress(down, 1, 2);
      peer.chunk({ type: "end" });
    },
    async (g) => {
      let reports = 0;
      const onProgress = (): void => void reports++;
      await g.upload(pattern(100), "/f", { onProgress });
      await g.download("/f", join(folder, "progress"), { onProgress });
      assert.equal(reports, 2);
    },
  ));

test("larger chunks where the daemon agrees", () =>
  transfer(
    async (peer) => {
      peer.reply(await peer.call(), 0);
      const question = await peer.call();
      assert.equal(question.row.name, "extension_set_chunk_size");
      peer.reply(question, 65536);
      const up = await peer.call();
      const first = await peer.frame();
      assert.ok(first?.type === "message");
      assert.equal(first.bytes.length, 8 + 65536);
      const { bytes } = await peer.content();
      assert.equal(bytes.length, 300_000 - 65536);
      peer.reply(up);
      peer.reply(await peer.call());
      peer.chunk({ type: "data", data: pattern(65536) });
      peer.chunk({ type: "end" });
    },
    async (g) => {
      await g.upload(pattern(300_000), "/f");
      const slow = collector();
      await g.download("/f", slow.stream);
      assert.equal(slow.bytes().length, 65536);
    },
  ));

async function broken(
  script: (peer: PeerConversation, call: ReceivedCall) => Promise<void> | void,
  use: (g: Guestfs) => Promise<unknown>,
  error: unknown,
): Promise<void> {
  await using peer = await startScriptedPeer(async (conversation) => {
    conversation.greet();
    await script(conversation, await transferCall(conversation));
  });
  await using g = new Guestfs({ environment: false });
  g.setBackend(`unix:${peer.socketPath}`);
  await g.launch();
  await assert.rejects(use(g), error as never);
  assert.equal(g.isConfig(), true);
}

test("the daemon goes away in the middle of an upload", () =>
  broken(
    async (peer) => {
      await peer.frame();
      peer.end();
    },
    (g) => g.upload(endless(), "/f"),
    ConnectionClosedError,
  ));

test("the daemon goes away in the middle of a chunk", () =>
  broken(
    (peer, call) => {
      peer.reply(call);
      peer.send(Uint8Array.of(0, 0, 0x20, 8, 0, 0, 0, 0));
      peer.end();
    },
    (g) => g.download("/f", join(folder, "half")),
    ConnectionClosedError,
  ));

test("a chunk larger than agreed", () =>
  broken(
    (peer, call) => {
      peer.reply(call);
      peer.chunk({ type: "data", data: pattern(chunkMax + 1) });
    },
    (g) => g.download("/f", join(folder, "large")),
    ProtocolError,
  ));

test("a reply in the middle of an upload", () =>
  broken(
    (peer, call) => peer.reply(call),
    (g) => g.upload(endless(), "/f"),
    ProtocolError,
  ));

test("an upload does not read ahead of a daemon that reads nothing", async () => {
  await using peer = await startScriptedPeer(async (conversation) => {
    conversation.greet();
    await transferCall(conversation);
  });
  await using g = new Guestfs({ environment: false, closeTimeout: 1 });
  g.setBackend(`unix:${peer.socketPath}`);
  g.setAutosync(false);
  await g.launch();
  let given = 0;
  const source = (async function* () {
    for (;;) {
      given += 65536;
      yield new Uint8Array(65536);
    }
  })();
  const stop = new AbortController();
  const upload = g.upload(source, "/f", { signal: stop.signal });
  await peer.ended;
  let before = -1;
  while (before !== given) {
    before = given;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.ok(given < 4 * 1024 * 1024, `${given} bytes were read ahead`);
  stop.abort();
  await assert.rejects(upload, CancelledError);
});

test("a piece of a window that was never sent ends the conversation when it is given back", async () => {
  await using peer = await startScriptedPeer(async (conversation) => {
    conversation.greet();
    await conversation.call();
    conversation.send(encodeFlag(windowFlag));
  });
  await using g = new Guestfs({ environment: false, closeTimeout: 1 });
  g.setBackend(`unix:${peer.socketPath}`);
  g.setAutosync(false);
  await g.launch();
  await assert.rejects(g.pingDaemon(), (error) => error instanceof ProtocolError && /window/.test(error.message));
});
