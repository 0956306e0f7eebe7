import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import type { Stream } from "node:stream";
import { test } from "node:test";
import { startScriptedPeer } from "@guestfs/testkit";
import type { PeerConversation } from "@guestfs/testkit";
import { Guestfs } from "../index.ts";

/** A handle whose peer answers a first call only when told to, so that a transfer waits for its turn. */
async function waiting(
  script: (peer: PeerConversation) => Promise<void>,
  use: (g: Guestfs, goOn: () => void) => Promise<void>,
): Promise<void> {
  let goOn!: () => void;
  const told = new Promise<void>((resolve) => (goOn = resolve));
  await using peer = await startScriptedPeer(async (conversation) => {
    conversation.greet();
    const first = await conversation.call();
    await told;
    conversation.reply(first, 0);
    await script(conversation);
  });
  await using g = new Guestfs({ environment: false, closeTimeout: 1 });
  g.setBackend(`unix:${peer.socketPath}`);
  g.setAutosync(false);
  await g.launch();
  const first = g.getUmask();
  await use(g, goOn);
  await first;
  await peer.ended;
}

test("the output of a program that ended while the upload waited is not lost", () => {
  let received = "";
  return waiting(
    async (peer) => {
      peer.reply(await peer.call(), 2);
      const call = await peer.call();
      received = Buffer.from((await peer.content()).bytes).toString();
      peer.reply(call);
    },
    async (g, goOn) => {
      const child = spawn("echo", ["hello"], { stdio: ["ignore", "pipe", "ignore"] });
      const upload = g.upload(child.stdout, "/f");
      await once(child, "exit");
      await new Promise(setImmediate);
      goOn();
      await upload;
      assert.equal(received, "hello\n");
    },
  );
});

test("a source and a sink that fail while the call waits fail the call, not the process", () =>
  waiting(
    async (peer) => {
      peer.reply(await peer.call(), 2);
      const upload = await peer.call();
      assert.equal((await peer.content()).cancelled, true);
      peer.replyError(upload, "", "file upload cancelled");
      const download = await peer.call();
      peer.reply(download);
      assert.equal((await peer.frame())?.type, "cancel");
      peer.chunk({ type: "cancel" });
    },
    async (g, goOn) => {
      const source = createReadStream("/no/such/file");
      const sink = createWriteStream("/no/such/file");
      const upload = g.upload(source, "/f");
      const download = g.download("/f", sink);
      const streams: readonly Stream[] = [source, sink];
      await Promise.all(streams.map((stream) => new Promise((resolve) => stream.on("close", resolve))));
      goOn();
      await assert.rejects(upload, (error) => error instanceof Error && /^upload: .*ENOENT/.test(error.message));
      await assert.rejects(download, { code: "LOCAL", procedure: "download" });
    },
  ));
