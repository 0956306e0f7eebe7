import assert from "node:assert/strict";
import { test } from "node:test";
import { startScriptedPeer } from "@guestfs/testkit";
import type { PeerConversation } from "@guestfs/testkit";
import { CancelledError, LaunchError } from "../errors.ts";
import type { Attachment } from "./attachment.ts";
import { attachLive } from "./live.ts";

/** Attaches, for reading, to a machine that libvirt does not know. */
async function attached(
  script: (peer: PeerConversation) => Promise<void>,
  timeoutMs: number,
  use: (attaching: Promise<Attachment>, stop: AbortController) => Promise<void>,
): Promise<void> {
  await using peer = await startScriptedPeer(script);
  const stop = new AbortController();
  const domain = {
    connection: { uri: "test:///default" },
    name: "machine",
    uuid: "00000000-0000-0000-0000-000000000001",
    channels: [{ port: "org.libguestfs.channel.0", path: peer.socketPath }],
    window: undefined,
    readonly: true,
  };
  await use(attachLive({ domain, timeoutMs, signal: stop.signal, debug: () => undefined }), stop);
}

/** Answers the question whether it is there, and nothing else. */
async function answersOnce(peer: PeerConversation): Promise<void> {
  peer.reply(await peer.call());
  await peer.call();
}

test("a daemon that greets and then says nothing is given up in time", () =>
  attached(answersOnce, 5000, async (attaching) => {
    await assert.rejects(
      attaching,
      (error) =>
        error instanceof LaunchError &&
        /the daemon in the machine machine did not answer within 5 s/.test(error.message),
    );
  }));

test("attaching can be stopped while the daemon is to limit itself to reading", () => {
  let stop!: AbortController;
  return attached(
    async (peer) => {
      await answersOnce(peer);
      stop.abort(new Error("enough"));
    },
    20_000,
    async (attaching, controller) => {
      stop = controller;
      await assert.rejects(
        attaching,
        (error) => error instanceof CancelledError && (error.cause as Error).message === "enough",
      );
    },
  );
});
