import assert from "node:assert/strict";
import { test } from "node:test";
import { startScriptedPeer } from "@guestfs/testkit";
import type { PeerConversation } from "@guestfs/testkit";
import { ConnectionClosedError, Guestfs, GuestfsError, ProtocolError, RemoteError, StateError } from "./index.ts";

type Script = (peer: PeerConversation) => Promise<void> | void;

/** A handle that talks to a peer, which has greeted and goes on with the script. */
async function withPeer(script: Script, use: (g: Guestfs) => Promise<void>): Promise<void> {
  await using peer = await startScriptedPeer(async (conversation) => {
    conversation.greet();
    await script(conversation);
  });
  await using g = new Guestfs({ environment: false, closeTimeout: 1 });
  g.setBackend(`unix:${peer.socketPath}`);
  g.setAutosync(false);
  await g.launch();
  await use(g);
  await peer.ended;
}

test("a call and its reply, byte by byte", () =>
  withPeer(
    async (peer) => {
      const call = await peer.call();
      assert.equal(call.row.name, "get_umask");
      assert.equal(call.header.serial, 0x123400);
      for (const byte of peer.encodeReply(call, 0o22)) {
        peer.send(Uint8Array.of(byte));
        await new Promise(setImmediate);
      }
      const second = await peer.call();
      assert.equal(second.header.serial, 0x123401);
      peer.reply(second, 0o27);
    },
    async (g) => {
      assert.equal(await g.getUmask(), 0o22);
      assert.equal(await g.getUmask(), 0o27);
    },
  ));

test("calls made at once are sent one after the other", () =>
  withPeer(
    async (peer) => {
      for (let i = 0; i < 3; i++) {
        const call = await peer.call();
        await new Promise(setImmediate);
        peer.reply(call, i);
      }
    },
    async (g) => assert.deepEqual(await Promise.all([g.getUmask(), g.getUmask(), g.getUmask()]), [0, 1, 2]),
  ));

test("an error reply names the call, and its stack the line that made it", () =>
  withPeer(
    async (peer) => {
      peer.replyError(await peer.call(), "ENOENT", "/dev/sda1: No such file or directory");
      peer.replyError(await peer.call(), "EWEIRD", "odd");
    },
    async (g) => {
      const error = await g.mkfs("ext4", "/dev/sda1").catch((failure: unknown) => failure);
      assert.ok(error instanceof RemoteError && error instanceof GuestfsError);
      assert.equal(error.message, "mkfs: /dev/sda1: No such file or directory");
      assert.equal(error.errno, "ENOENT");
      assert.equal(error.code, "REMOTE");
      assert.equal(error.procedure, "mkfs");
      assert.match(error.stack?.split("\n")[0] ?? "", /^RemoteError: mkfs: /);
      assert.match(error.stack?.split("\n")[1] ?? "", /connection\.test/);
      await assert.rejects(g.getUmask(), { errno: "EINVAL", message: "get_umask: odd" });
    },
  ));

const faults: readonly [
  name: string,
  script: Script,
  error: typeof ProtocolError | typeof ConnectionClosedError,
  message: RegExp,
][] = [
  [
    "hangs up",
    async (peer) => (await peer.call(), peer.end()),
    ConnectionClosedError,
    /^get_umask: the daemon closed the connection$/,
  ],
  [
    "hangs up in the middle of a length",
    async (peer) => (await peer.call(), peer.send(Uint8Array.of(0, 0)), peer.end()),
    ConnectionClosedError,
    /middle of a message \(2 bytes/,
  ],
  [
    "hangs up in the middle of a reply",
    async (peer) => {
      peer.send(peer.encodeReply(await peer.call(), 1).subarray(0, 30));
      peer.end();
    },
    ConnectionClosedError,
    /middle of a message \(30 bytes/,
  ],
  [
    "sends garbage",
    async (peer) => (await peer.call(), peer.send("GET / HTTP/1.1\r\n")),
    ProtocolError,
    /^get_umask: .*neither a flag nor a message length: 0x47455420/,
  ],
  [
    "gives a wrong serial",
    async (peer) => peer.reply(await peer.call(), 1, { serial: 7 }),
    ProtocolError,
    /serial 7, where procedure 240, serial 1192960/,
  ],
  [
    "answers another procedure",
    async (peer) => peer.reply(await peer.call(), 1, { procedure: 5 }),
    ProtocolError,
    /a reply to procedure 5/,
  ],
  [
    "sends a call",
    async (peer) => peer.reply(await peer.call(), 1, { direction: "call" }),
    ProtocolError,
    /a call where a reply should be/,
  ],
  [
    "sends a reply without the whole of its header",
    async (peer) =>
      peer.send(
        peer
          .encodeReply(await peer.call(), 1)
          .fill(36, 3, 4)
          .subarray(0, 40),
      ),
    ProtocolError,
    /./,
  ],
  ["greets again", async (peer) => (await peer.call(), peer.greet()), ProtocolError, /greeted again/],
];

for (const [name, script, expected, message] of faults)
  test(`a peer that ${name}: the call fails, the handle is back in CONFIG`, () =>
    withPeer(script, async (g) => {
      const quits: string[] = [];
      g.on("subprocess_quit", ({ reason }) => quits.push(reason));
      await assert.rejects(g.getUmask(), (error) => error instanceof expected && message.test(error.message));
      assert.equal(quits.length, 1);
      assert.equal(g.isConfig(), true);
      await assert.rejects(
        g.getUmask(),
        (error) => error instanceof StateError && /the daemon is gone/.test(error.message),
      );
    }));

test("a result that makes no sense fails its call, and the conversation goes on", () =>
  withPeer(
    async (peer) => {
      peer.send(
        peer
          .encodeReply(await peer.call(), 1)
          .fill(40, 3, 4)
          .subarray(0, 44),
      );
      const size = peer.encodeReply(await peer.call(), 1);
      peer.send(size.fill(0x7f, size.length - 8));
      peer.reply(await peer.call(), 0o22);
    },
    async (g) => {
      await assert.rejects(g.getUmask(), { name: "ProtocolError", message: /^get_umask: result: 4 bytes wanted/ });
      await assert.rejects(g.filesize("/sparse"), {
        name: "ProtocolError",
        message: /^filesize: result: .*exact range/,
      });
      assert.equal(await g.getUmask(), 0o22);
    },
  ));

test("a listener of progress that throws, or rejects, harms no call", async (t) => {
  const written: string[] = [];
  t.mock.method(process.stderr, "write", (text: string) => written.push(text) > 0);
  await withPeer(
    async (peer) => {
      for (let i = 0; i < 2; i++) {
        const call = await peer.call();
        peer.progress(call, 1, 4);
        peer.reply(call, 5);
      }
    },
    async (g) => {
      const broken = (): never => {
        throw new Error("broken");
      };
      const rejecting = (): unknown => Promise.reject(new Error("broken later"));
      assert.equal(await g.getUmask({ onProgress: broken }), 5);
      assert.equal(await g.getUmask({ onProgress: rejecting }), 5);
      await new Promise(setImmediate);
    },
  );
  t.mock.restoreAll();
  assert.match(
    written.join(""),
    /a listener of onProgress failed: broken\n.*a listener of onProgress failed: broken later\n/s,
  );
});

test("one signal for many calls that wait is no leak", async () => {
  const warnings: string[] = [];
  const onWarning = ({ name }: Error): void => void warnings.push(name);
  process.on("warning", onWarning);
  await withPeer(
    async (peer) => {
      for (let i = 0; i < 30; i++) peer.reply(await peer.call(), i);
    },
    async (g) => {
      const { signal } = new AbortController();
      await Promise.all(Array.from({ length: 30 }, () => g.getUmask({ signal })));
      await new Promise(setImmediate);
    },
  );
  process.off("warning", onWarning);
  assert.deepEqual(warnings, []);
});

test("a message that answers no call ends the conversation", () =>
  withPeer(
    async (peer) => {
      const call = await peer.call();
      peer.send(Buffer.concat([peer.encodeReply(call, 1), peer.encodeReply(call, 2)]));
    },
    async (g) => {
      const quit = new Promise<string>((resolve) => g.on("subprocess_quit", ({ reason }) => resolve(reason)));
      assert.equal(await g.getUmask(), 1);
      assert.match(await quit, /a message that answers no call/);
    },
  ));

test("flags that come too late, and progress of other calls, are passed over", () =>
  withPeer(
    async (peer) => {
      const call = await peer.call();
      peer.cancel();
      peer.progress({ ...call, header: { ...call.header, serial: 1 } }, 1, 2);
      peer.reply(call, 3);
      peer.cancel();
      peer.progress(call, 2, 2);
      peer.reply(await peer.call(), 4);
    },
    async (g) => {
      const seen: number[] = [];
      assert.equal(await g.getUmask({ onProgress: ({ position }) => seen.push(position) }), 3);
      assert.equal(await g.getUmask(), 4);
      assert.deepEqual(seen, []);
    },
  ));

test("progress reaches the call's listener and the event", () =>
  withPeer(
    async (peer) => {
      const call = await peer.call();
      peer.progress(call, 1, 4);
      peer.progress(call, 4, 4);
      peer.reply(call, 5);
    },
    async (g) => {
      const own: unknown[] = [];
      const all: unknown[] = [];
      g.on("progress", (event) => all.push(event));
      await g.getUmask({ onProgress: (report) => own.push(report) });
      assert.deepEqual(own, [
        { position: 1, total: 4 },
        { position: 4, total: 4 },
      ]);
      assert.deepEqual(all[0], { procedure: 240, serial: 0x123400, position: 1, total: 4 });
    },
  ));

test("a call that can't be stopped: its signal lets go of it at once, the next call waits for its end", () =>
  withPeer(
    async (peer) => {
      const first = await peer.call();
      await new Promise((resolve) => setTimeout(resolve, 20));
      peer.reply(first, 1);
      peer.reply(await peer.call(), 2);
    },
    async (g) => {
      const stop = new AbortController();
      const first = g.getUmask({ signal: stop.signal });
      const waiting = g.getUmask({ signal: stop.signal });
      const second = g.getUmask();
      stop.abort(new Error("enough"));
      for (const call of [first, waiting])
        await assert.rejects(
          call,
          (error) =>
            error instanceof Error && error.name === "AbortError" && (error.cause as Error).message === "enough",
        );
      assert.equal(await second, 2);
    },
  ));

test("closing while a call hangs: the call fails after the time limit, those that wait at once", async () => {
  await using peer = await startScriptedPeer(async (conversation) => {
    conversation.greet();
    await conversation.call();
  });
  const g = new Guestfs({ environment: false, closeTimeout: 10 });
  g.setBackend(`unix:${peer.socketPath}`);
  await g.launch();
  const hanging = g.getUmask();
  const waiting = g.getUmask();
  const order: string[] = [];
  const settled = [
    waiting.catch((error: unknown) => order.push((error as Error).name)),
    hanging.catch((error: unknown) => order.push((error as Error).name)),
  ];
  await g.close();
  await Promise.all(settled);
  assert.deepEqual(order, ["StateError", "ConnectionClosedError"]);
  await assert.rejects(g.getUmask(), /get_umask: .*CLOSED/);
});
