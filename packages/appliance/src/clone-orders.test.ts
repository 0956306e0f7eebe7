import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { CloneError, encodeIdentity, encodeOrders, ready, sendOrders } from "./clone-orders.ts";
import type { Orders } from "./clone-orders.ts";

const launch: Orders = { purpose: "launch", slotFilled: false, drives: [] };

const folder = await mkdtemp(join(tmpdir(), "orders-test-"));
after(() => rm(folder, { recursive: true }));

async function pair(): Promise<{ host: Socket; guest: Socket }> {
  const path = join(folder, "s");
  const server = createServer();
  const guest = new Promise<Socket>((resolve) => server.once("connection", resolve));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const host = connect(path);
  const both = { host, guest: await guest };
  server.close();
  after(() => both.guest.destroy());
  after(() => both.host.destroy());
  return both;
}

test("an identity is laid out as the daemon reads it, and no two are the same", () => {
  const identity = encodeIdentity();
  assert.equal(identity.length, 128);
  assert.equal(identity.readInt32LE(0), 512);
  assert.equal(identity.readInt32LE(4), 64);
  assert.match(identity.toString("latin1", 72, 105), /^[0-9a-f]{32}\n$/);
  assert.match(identity.toString("latin1", 112), /^guestfs-[0-9a-f]{8}$/);
  const other = encodeIdentity();
  for (const [from, to] of [
    [8, 72],
    [72, 105],
    [112, 128],
  ])
    assert.notEqual(identity.toString("hex", from, to), other.toString("hex", from, to));
});

test("the orders are laid out as the daemon reads them", () => {
  const orders = encodeOrders({ purpose: "rehearsal", slotFilled: true, drives: [0, 9, 255] });
  assert.equal(orders.toString("hex"), `0102${"00".repeat(29)}800101${"00".repeat(14)}`);
  assert.equal(encodeOrders({ purpose: "compilation", slotFilled: true, drives: [] })[32], 3);
  assert.equal(encodeOrders(launch).toString("hex"), "00".repeat(48));
});

test("a machine that asks for the time twice gets it, and its greeting stays in the channel", async () => {
  const { host, guest } = await pair();
  guest.write("guestfsd re");
  const isReady = ready(host);
  guest.write("ady\n");
  await isReady;
  const sent = sendOrders(host, { ...launch, drives: [1] });
  const times: Buffer[] = [];
  let received = Buffer.alloc(0);
  guest.on("data", (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
    if (received.length === 48) guest.write("guestfsd time\n");
    if (received.length === 64) guest.write("guestfsd time\n");
    if (received.length === 80) guest.write(Buffer.from([0xf5, 0xf5, 0x5f, 0xf5]));
    if (received.length > 48) times.push(received.subarray(-16));
  });
  await sent;
  assert.deepEqual(host.read(), Buffer.from([0xf5, 0xf5, 0x5f, 0xf5]));
  for (const time of times) {
    const milliseconds = Number(time.readBigInt64LE(0)) * 1000 + Number(time.readBigInt64LE(8)) / 1e6;
    assert.ok(Math.abs(Date.now() - milliseconds) < 60_000);
  }
});

test("a daemon that knows nothing of clones is told apart at once", async () => {
  for (const said of [
    Buffer.from([0xf5, 0xf5, 0x5f, 0xf5]),
    Buffer.from("SSH-2.0\r\n"),
    Buffer.from("guestfsd what\n"),
  ]) {
    const { host, guest } = await pair();
    guest.write(said);
    await assert.rejects(ready(host), CloneError);
  }
  const { host, guest } = await pair();
  guest.end();
  await assert.rejects(ready(host), /closed/);
});

test("a rehearsal ends in being ready, the real thing in something else", async () => {
  const { host, guest } = await pair();
  guest.resume();
  guest.write("guestfsd ready\n");
  await sendOrders(host, { ...launch, purpose: "rehearsal" });
  guest.write("guestfsd ready\n");
  await assert.rejects(sendOrders(host, launch), CloneError);
});
