import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { CloneError, encodeOrders, ready, sendOrders } from "./clone-orders.ts";
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

test("the orders are laid out as the daemon reads them, and no two are the same", () => {
  const orders = encodeOrders({ purpose: "rehearsal", slotFilled: true, drives: [0, 9, 255] });
  assert.equal(orders.length, 256);
  assert.deepEqual([...orders.subarray(0, 2)], [1, 1]);
  assert.equal(orders.readInt32LE(8), 512);
  assert.equal(orders.readInt32LE(12), 64);
  assert.match(orders.toString("latin1", 80, 113), /^[0-9a-f]{32}\n$/);
  assert.match(orders.toString("latin1", 120, 144), /^guestfs-[0-9a-f]{8}\0+$/);
  assert.equal(orders.toString("hex", 144, 176), `0102${"00".repeat(29)}80`);
  assert.equal(encodeOrders({ purpose: "compilation", slotFilled: true, drives: [] })[0], 3);
  const other = encodeOrders(launch);
  assert.deepEqual([...other.subarray(0, 2)], [0, 0]);
  assert.notEqual(orders.toString("hex", 16, 80), other.toString("hex", 16, 80));
  assert.notEqual(orders.toString("latin1", 80, 144), other.toString("latin1", 80, 144));
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
    if (received.length === 256) guest.write("guestfsd time\n");
    if (received.length === 272) guest.write("guestfsd time\n");
    if (received.length === 288) guest.write(Buffer.from([0xf5, 0xf5, 0x5f, 0xf5]));
    if (received.length > 256) times.push(received.subarray(-16));
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
