import assert from "node:assert/strict";
import { test } from "node:test";
import { startScriptedPeer } from "@guestfs/testkit";
import type { PeerConversation } from "@guestfs/testkit";
import { greetOnSocket } from "./attach/unix.ts";
import { Guestfs } from "./index.ts";

/** Serves calls until the client leaves. */
async function serve(conversation: PeerConversation): Promise<void> {
  for (;;) {
    const call = await conversation.call();
    conversation.reply(call, call.row.name === "filesize" ? 42 : undefined);
  }
}

async function works(script: (conversation: PeerConversation) => void | Promise<void>): Promise<void> {
  await using peer = await startScriptedPeer(script);
  await using g = new Guestfs({ environment: false, closeTimeout: 100 });
  g.setBackend(`unix:${peer.socketPath}`);
  g.setAutosync(false);
  await g.launch();
  assert.equal(await g.filesize("/x"), 42);
}

test("a daemon that greeted somebody else before", () => works(serve));

test("the end of somebody else's download, with a greeting and the look of a reply in it", () =>
  works(async (conversation) => {
    const noise = Buffer.alloc(3_000_001, "\0\0\0\x28\x20\0\xf5\xf5\xf5\xf5\x5f\xf5", "latin1");
    conversation.send(noise);
    await serve(conversation);
  }));

test("a greeting behind somebody else's bytes", () =>
  works(async (conversation) => {
    conversation.send("the rest of a file");
    conversation.greet();
    await serve(conversation);
  }));

test("a daemon that takes the question for a part of what came before", () =>
  works(async (conversation) => {
    conversation.send("\0\0\0\x08abc");
    await conversation.call();
    conversation.send("d");
    await serve(conversation);
  }));

test("greetings that an earlier client did not take", () =>
  works(async (conversation) => {
    conversation.greet();
    conversation.greet();
    await serve(conversation);
  }));

test("a channel's bytes that begin like a greeting are believed once a question was answered", async () => {
  await using peer = await startScriptedPeer(async (conversation) => {
    conversation.greet();
    conversation.send("a reply to somebody else");
    await serve(conversation);
  });
  const connection = await greetOnSocket({ path: peer.socketPath, timeoutMs: 20_000, certain: true });
  assert.equal(connection.sawOtherBytes, true);
  assert.equal(connection.failure, undefined);
  connection.end(new Error("enough"));
});
