import assert from "node:assert/strict";
import { test } from "node:test";
import { startScriptedPeer } from "@guestfs/testkit";
import type { PeerConversation } from "@guestfs/testkit";
import { CancelledError, ConnectionClosedError, Guestfs, LaunchError, StateError } from "./index.ts";
import type { GuestfsOptions } from "./index.ts";

/** A handle that is READY, with autosync on. */
async function withPeer(
  script: (peer: PeerConversation) => Promise<void>,
  options: GuestfsOptions,
  use: (g: Guestfs) => Promise<void>,
): Promise<void> {
  await using peer = await startScriptedPeer(async (conversation) => {
    conversation.greet();
    await script(conversation);
  });
  const g = new Guestfs({ environment: false, ...options });
  g.setBackend(`unix:${peer.socketPath}`);
  await g.launch();
  await use(g);
  await peer.ended;
}

const syncAsked = async (peer: PeerConversation): Promise<void> =>
  assert.equal((await peer.call()).row.name, "internal_autosync");

test("a daemon that never syncs does not keep a handle from closing", () =>
  withPeer(syncAsked, { syncTimeout: 50 }, async (g) => {
    await assert.rejects(
      g.close(),
      (error) =>
        error instanceof ConnectionClosedError && error.message.startsWith("close: the daemon did not sync within"),
    );
    await assert.rejects(g.getUmask(), StateError);
  }));

for (const [how, stop] of [
  ["userCancel", (g: Guestfs) => g.userCancel()],
  [
    "the signal of a second close",
    (g: Guestfs) => void g.close({ signal: AbortSignal.abort() }).catch(() => undefined),
  ],
] as const)
  test(`syncing at the end is cut by ${how}`, () => {
    let asked!: () => void;
    const began = new Promise<void>((resolve) => (asked = resolve));
    return withPeer(
      async (peer) => (await syncAsked(peer), asked()),
      {},
      async (g) => {
        const closed = g.close();
        assert.equal(g.close(), closed);
        await began;
        stop(g);
        await assert.rejects(closed, (error) => error instanceof CancelledError && error.procedure === "close");
        assert.throws(() => g.userCancel(), StateError);
      },
    );
  });

test("a shutdown whose sync hangs can be stopped", () =>
  withPeer(syncAsked, {}, async (g) => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    await assert.rejects(g.shutdown({ signal: stop.signal }), CancelledError);
    await g.close();
  }));

test("closing does not wait for a sink that hangs, and takes no more calls meanwhile", () =>
  withPeer(
    async (peer) => {
      for (;;) {
        const call = await peer.call();
        if (call.row.name === "internal_feature_available") peer.reply(call, 2);
        else {
          peer.reply(call);
          peer.chunk({ type: "data", data: Buffer.alloc(8000) });
          peer.chunk({ type: "end" });
          return;
        }
      }
    },
    { closeTimeout: 50 },
    async (g) => {
      g.setAutosync(false);
      let began!: () => void;
      const writing = new Promise<void>((resolve) => (began = resolve));
      const stuck = new WritableStream({
        write: () => {
          began();
          return new Promise<void>(() => undefined);
        },
      });
      const download = g.download("/f", stuck);
      const walk = g.walk("/");
      await writing;
      const closed = g.close();
      await Promise.all([
        assert.rejects(walk.next(), { name: "StateError", procedure: "walk" }),
        assert.rejects(download, CancelledError),
        closed,
      ]);
    },
  ));

test("a walk that goes on while its handle is being closed, or after, fails", () =>
  withPeer(
    async (peer) => {
      await peer.call();
    },
    { closeTimeout: 50 },
    async (g) => {
      g.setAutosync(false);
      const [early, late] = [g.walk("/"), g.walk("/")];
      const hanging = assert.rejects(g.pingDaemon(), ConnectionClosedError);
      const closed = g.close();
      await Promise.resolve();
      await assert.rejects(early.next(), { name: "StateError", procedure: "walk" });
      await closed;
      await assert.rejects(late.next(), { name: "StateError", procedure: "walk" });
      await hanging;
    },
  ));

test("a conversation that is lost with its greeting is a failed launch", async () => {
  await using peer = await startScriptedPeer((conversation) => {
    conversation.send(Uint8Array.of(0xf5, 0xf5, 0x5f, 0xf5, 0xff, 0, 0, 0));
    conversation.end();
  });
  await using g = new Guestfs({ environment: false });
  g.setBackend(`unix:${peer.socketPath}`);
  const told: string[] = [];
  for (const event of ["launch_done", "subprocess_quit"] as const) g.on(event, () => told.push(event));
  await assert.rejects(
    g.launch(),
    (error) =>
      error instanceof LaunchError && /the daemon greeted, and then the conversation ended/.test(error.message),
  );
  assert.deepEqual(told, []);
  assert.equal(g.isConfig(), true);
});
