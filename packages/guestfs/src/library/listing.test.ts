import assert from "node:assert/strict";
import { test } from "node:test";
import { startScriptedPeer } from "@guestfs/testkit";
import type { PeerConversation } from "@guestfs/testkit";
import { Guestfs, GuestfsError, ProtocolError } from "../index.ts";

/** A handle whose peer sends content of the script's. */
async function receiving(
  script: (peer: PeerConversation) => Promise<void>,
  use: (g: Guestfs) => Promise<void>,
): Promise<void> {
  await using peer = await startScriptedPeer(async (conversation) => {
    conversation.greet();
    conversation.reply(await conversation.call(), 0);
    conversation.reply(await conversation.call(), 256 * 1024);
    conversation.reply(await conversation.call());
    await script(conversation);
    conversation.reply(await conversation.call(), 0o22);
  });
  await using g = new Guestfs({ environment: false, closeTimeout: 1 });
  g.setBackend(`unix:${peer.socketPath}`);
  g.setAutosync(false);
  await g.launch();
  await use(g);
  assert.equal(await g.getUmask(), 0o22);
  await peer.ended;
}

test("names are in the order of their bytes, whatever these are", () => {
  const names = ["z", "é", "\u{10000}", "\uffff", "a", "Z", "aa", "\udcff", "\udc80x"];
  const bytes = (name: string): Buffer =>
    /^[\udc80-\udcff]/.test(name)
      ? Buffer.concat([Buffer.of(name.charCodeAt(0) - 0xdc00), Buffer.from(name.slice(1))])
      : Buffer.from(name);
  return receiving(
    async (peer) => {
      peer.chunk({ type: "data", data: Buffer.concat(names.flatMap((name) => [bytes(name), Buffer.of(0)])) });
      peer.chunk({ type: "end" });
    },
    async (g) =>
      assert.deepEqual(
        await g.ls("/"),
        names.toSorted((a, b) => Buffer.compare(bytes(a), bytes(b))),
      ),
  );
});

test("millions of names take neither a gigabyte nor long", () => {
  const data = Buffer.alloc(256 * 1024, "a\0");
  return receiving(
    async (peer) => {
      for (let i = 0; i < 32; i++) peer.chunk({ type: "data", data });
      peer.chunk({ type: "end" });
    },
    async (g) => {
      const before = process.memoryUsage();
      assert.equal((await g.ls("/")).length, 4 * 1024 * 1024);
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      assert.ok(heapUsed + arrayBuffers - before.heapUsed - before.arrayBuffers < 300 * 1024 * 1024);
    },
  );
});

test("more records than can be held fail the call", () => {
  const data = Buffer.alloc(256 * 1024);
  return receiving(
    async (peer) => {
      for (let i = 0; i <= 512; i++) peer.chunk({ type: "data", data });
      assert.equal((await peer.frame())?.type, "cancel");
      peer.chunk({ type: "cancel" });
    },
    (g) =>
      assert.rejects(
        g.readdir("/"),
        (error) =>
          error instanceof GuestfsError &&
          error.code === "LOCAL" &&
          /^readdir: .*more than 134217728 bytes, too much to be kept in memory$/.test(error.message),
      ),
  );
});

test("results that are not as many as the names", async () => {
  await using peer = await startScriptedPeer(async (conversation) => {
    conversation.greet();
    for (let i = 0; i < 2; i++) conversation.reply(await conversation.call(), []);
  });
  await using g = new Guestfs({ environment: false, closeTimeout: 1 });
  g.setBackend(`unix:${peer.socketPath}`);
  g.setAutosync(false);
  await g.launch();
  await assert.rejects(g.lstatnslist("/", ["a", "b"]), {
    name: "ProtocolError",
    message: "lstatnslist: 0 results for 2 names",
  });
  await assert.rejects(g.readlinklist("/", ["a"]), ProtocolError);
});
