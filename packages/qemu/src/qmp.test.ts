import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { qemuArguments } from "./command-line.ts";
import { spawnOwned } from "./owned-process.ts";
import { QmpClient, QmpError } from "./qmp.ts";
import type { QmpEvent } from "./qmp.ts";

const greeting = '{"QMP": {"version": {}, "capabilities": []}}\n';

/** A peer that answers each line with what `answer` gives: for faults that QEMU does not have. */
function peer(answer: (line: string, stream: Duplex) => string | undefined): Duplex {
  const stream = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      const text = answer(chunk.toString(), stream);
      if (text !== undefined) stream.push(text);
      done();
    },
  });
  stream.push(greeting);
  return stream;
}

const accept = (line: string): string => `{"return": {}, "id": ${(JSON.parse(line) as { id: number }).id}}\n`;

const isQmpError = (code: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof QmpError);
  assert.equal(error.code, code);
  assert.match(error.message, words);
  return true;
};

test("a real QEMU: commands, errors, events, the end", async () => {
  const args = qemuArguments({
    machine: { type: "none" },
    accelerator: { type: "tcg" },
    cpu: undefined,
    smp: 1,
    memoryMiB: 1,
    chardevs: [{ id: "qmp", backend: "socket", fd: "3" }],
    qmpChardev: "qmp",
    blockdevs: [],
    devices: [],
  });
  const qemu = await spawnOwned("qemu-system-x86_64", args, { stdio: ["ignore", "ignore", "inherit", "pipe"] });
  const qmp = await QmpClient.connect(qemu.child.stdio[3] as Socket);
  const events: QmpEvent[] = [];
  qmp.onEvent((event) => events.push(event));
  const [version, status] = await Promise.all([qmp.execute("query-version"), qmp.execute("query-status")]);
  assert.ok(version.qemu.major >= 7);
  assert.equal(status.running, true);
  await assert.rejects(
    qmp.execute("device_add", { driver: "no-such-device" }),
    isQmpError("command", /no-such-device/),
  );
  await assert.rejects(qmp.execute("no-such-command"), (error) => {
    assert.equal((error as QmpError).qmpClass, "CommandNotFound");
    return true;
  });
  await qmp.execute("quit");
  assert.deepEqual(await qemu.exited, { code: 0, signal: null });
  assert.ok(events.some(({ event }) => event === "SHUTDOWN"));
  await assert.rejects(qmp.execute("query-status"), isQmpError("closed", /query-status/));
});

test("bytes that arrive in any pieces", async () => {
  const stream = peer((line, self) => {
    for (const byte of Buffer.from(`{"event": "X", "data": {"é": 1}}\r\n${accept(line)}`)) self.push(Buffer.of(byte));
    return undefined;
  });
  const qmp = await QmpClient.connect(stream);
  const events: QmpEvent[] = [];
  qmp.onEvent((event) => events.push(event));
  await qmp.execute("stop");
  assert.deepEqual(events.at(-1), { event: "X", data: { é: 1 } });
});

test("no greeting, no answer, an early end, lines that are no QMP", async () => {
  const silent = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  await assert.rejects(QmpClient.connect(silent, { timeoutMs: 20 }), isQmpError("timeout", /no greeting/));

  const mute = await QmpClient.connect(peer((line) => (line.includes("qmp_capabilities") ? accept(line) : undefined)));
  await assert.rejects(mute.execute("stop", {}, 20), isQmpError("timeout", /QMP stop: no answer in 20 ms/));

  const ending = await QmpClient.connect(
    peer((line, self) => {
      if (line.includes("qmp_capabilities")) return accept(line);
      self.push(null);
      return undefined;
    }),
  );
  await assert.rejects(Promise.all([ending.execute("stop"), ending.execute("cont")]), isQmpError("closed", /QMP stop/));

  for (const noise of ["not json\n", "[1]\n", "x".repeat(5000)]) {
    const noisy = await QmpClient.connect(
      peer((line) => (line.includes("qmp_capabilities") ? accept(line) : noise)),
      { maxLineBytes: 4096 },
    );
    await assert.rejects(noisy.execute("stop"), isQmpError("protocol", /QMP stop/));
  }
});
