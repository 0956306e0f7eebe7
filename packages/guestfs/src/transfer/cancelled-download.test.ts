import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { startScriptedPeer } from "@guestfs/testkit";
import type { PeerConversation, ReceivedCall } from "@guestfs/testkit";
import { CancelledError, Guestfs } from "../index.ts";

const folder = mkdtempSync(join(tmpdir(), "cancelled-download-test-"));
after(() => rmSync(folder, { recursive: true }));

const notAvailable = 2;

/** After whatever the script does, the peer answers one more call: the handle must be usable. */
async function transfer(
  script: (peer: PeerConversation) => Promise<void>,
  use: (g: Guestfs) => Promise<void>,
): Promise<void> {
  await using peer = await startScriptedPeer(async (conversation) => {
    conversation.greet();
    await script(conversation);
    conversation.reply(await conversation.call(), 0o77);
  });
  await using g = new Guestfs({ environment: false, closeTimeout: 1 });
  g.setBackend(`unix:${peer.socketPath}`);
  g.setAutosync(false);
  await g.launch();
  await use(g);
  assert.equal(await g.getUmask(), 0o77);
  await peer.ended;
}

/** The next call that is no question of the library's own. */
async function transferCall(peer: PeerConversation): Promise<ReceivedCall> {
  for (;;) {
    const call = await peer.call();
    if (call.row.name !== "internal_feature_available") return call;
    peer.reply(call, notAvailable);
  }
}

async function untilCancelled(peer: PeerConversation): Promise<void> {
  assert.equal((await peer.frame())?.type, "cancel");
  peer.chunk({ type: "cancel" });
}

test("the end of a cancelled download's sink does not hurry the sink of the next one", () => {
  const data = Buffer.alloc(8000, 1);
  const pieces = 200;
  return transfer(
    async (peer) => {
      peer.reply(await transferCall(peer));
      for (let i = 0; i < 64; i++) peer.chunk({ type: "data", data });
      await untilCancelled(peer);
      peer.reply(await transferCall(peer));
      for (let i = 0; i < pieces; i++) peer.chunk({ type: "data", data: Buffer.alloc(8000, i) });
      peer.chunk({ type: "end" });
    },
    async (g) => {
      const stop = new AbortController();
      let destroyed!: () => void;
      let blocked!: () => void;
      const first = new Promise<void>((resolve) => (blocked = resolve));
      const slow = new Writable({
        highWaterMark: 1,
        write: () => blocked(),
        // Its end is known only when the next sink is busy.
        destroy: (error, done) => (destroyed = () => done(error)),
      });
      const download = g.download("/a", slow, { signal: stop.signal });
      await first;
      stop.abort();
      await assert.rejects(download, CancelledError);
      const got: Uint8Array[] = [];
      let [busy, most] = [0, 0];
      const next = new WritableStream<Uint8Array>({
        async write(piece) {
          most = Math.max(most, ++busy);
          destroyed();
          await delay(20);
          got.push(piece.slice());
          busy--;
        },
      });
      await g.download("/b", next);
      assert.equal(most, 1);
      assert.deepEqual(
        Buffer.concat(got),
        Buffer.concat(Array.from({ length: pieces }, (_, i) => Buffer.alloc(8000, i))),
      );
    },
  );
});

test("a download that is cancelled while its sink still ends", () =>
  transfer(
    async (peer) => {
      peer.reply(await transferCall(peer));
      peer.chunk({ type: "data", data: Buffer.alloc(100) });
      peer.chunk({ type: "end" });
    },
    async (g) => {
      const stop = new AbortController();
      const endless = new Writable({ write: (_piece, _encoding, done) => done(), final: () => stop.abort() });
      await assert.rejects(g.download("/a", endless, { signal: stop.signal }), CancelledError);
      await new Promise((resolve) => endless.once("close", resolve));
    },
  ));

for (const [when, name] of [
  ["whether the daemon is ours", "internal_feature_available"],
  ["the size of chunks", "extension_set_chunk_size"],
] as const)
  test(`a download that is cancelled while the two ends agree on ${when}`, () => {
    const stop = new AbortController();
    const asked: string[] = [];
    return transfer(
      async (peer) => {
        for (let transfers = 0; transfers < 1;) {
          const call = await peer.call();
          asked.push(call.row.name);
          if (call.row.name === name) stop.abort();
          if (call.row.name === "internal_feature_available") peer.reply(call, 0);
          else if (call.row.name === "extension_set_chunk_size") peer.reply(call, 256 * 1024);
          else {
            peer.reply(call);
            // Larger than the usual chunks: what was agreed on holds.
            peer.chunk({ type: "data", data: Buffer.alloc(100_000) });
            peer.chunk({ type: "end" });
            transfers++;
          }
        }
      },
      async (g) => {
        const path = join(folder, "never");
        await assert.rejects(g.download("/a", path, { signal: stop.signal }), CancelledError);
        assert.equal((await g.readFile("/b")).length, 100_000);
        assert.equal(existsSync(path), false);
        assert.deepEqual(asked, ["internal_feature_available", "extension_set_chunk_size", "download"]);
      },
    );
  });
