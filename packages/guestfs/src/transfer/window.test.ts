import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { decodeWindowChunk } from "@guestfs/protocol";
import { openSource } from "./file-source.ts";
import { TransferWindow } from "./window.ts";
import type { WindowUploadChannel } from "./window.ts";

const MiB = 1024 * 1024;
const windowSize = 4 * MiB;
const folder = mkdtempSync(join(tmpdir(), "window-test-"));
const file = await open(join(folder, "window"), "w+");
await file.truncate(windowSize);
after(async () => {
  await file.close();
  rmSync(folder, { recursive: true });
});

/** A daemon that takes pieces when it is told to. */
class Daemon implements WindowUploadChannel {
  outstanding = 0;
  most = 0;
  stopped = false;
  readonly received: Buffer[] = [];
  readonly #pieces: { offset: number; length: number }[] = [];
  #onGiven: (() => void) | undefined;
  #onStop: (() => void) | undefined;
  #taking = Promise.resolve();

  send(bytes: Uint8Array): Promise<void> {
    const piece = decodeWindowChunk(bytes.subarray(4), windowSize);
    assert.ok(piece);
    this.#pieces.push(piece);
    this.#taking = this.#taking.then(() => this.take());
    return Promise.resolve();
  }

  async take(): Promise<void> {
    const piece = this.#pieces.shift();
    if (!piece) return;
    const { buffer } = await file.read({ buffer: Buffer.alloc(piece.length), position: piece.offset });
    this.received.push(buffer);
    this.outstanding--;
    this.#onGiven?.();
  }

  sent(): void {
    this.most = Math.max(this.most, ++this.outstanding);
  }

  given(): Promise<void> {
    return new Promise((resolve) => (this.#onGiven = resolve));
  }

  unlessStopped<T>(wait: Promise<T>): Promise<T | undefined> {
    return Promise.race([wait, new Promise<undefined>((resolve) => (this.#onStop = () => resolve(undefined)))]);
  }

  stop(): void {
    this.stopped = true;
    this.#onStop?.();
  }
}

/** A daemon that never takes anything. */
class IdleDaemon extends Daemon {
  override take(): Promise<void> {
    return Promise.resolve();
  }
}

async function openWindow(): Promise<TransferWindow> {
  const window = new TransferWindow(file);
  const token = await window.mark();
  const start = Buffer.alloc(token.length);
  await file.read(start, 0, start.length, 0);
  assert.deepEqual(start, Buffer.from(token));
  window.open(windowSize);
  return window;
}

for (const size of [0, 1, MiB - 1, MiB, MiB + 1, 9 * MiB + 12_345])
  test(`${size} bytes arrive in order, and no piece is used again before it was taken`, async () => {
    const content = Buffer.alloc(size, `content of ${size} bytes; `);
    const daemon = new Daemon();
    const window = await openWindow();
    assert.equal(await window.send(daemon, await openSource(content)), true);
    while (daemon.outstanding > 0) await daemon.given();
    assert.equal(Buffer.compare(Buffer.concat(daemon.received), content), 0);
    assert.ok(daemon.most <= windowSize / MiB, `${daemon.most} pieces at once`);
  });

test("a daemon that takes nothing gets no more than the window holds, and the upload can be stopped", async () => {
  const daemon = new IdleDaemon();
  const window = await openWindow();
  const sending = window.send(daemon, await openSource(Buffer.alloc(9 * MiB)));
  while (daemon.outstanding < windowSize / MiB) await new Promise((resolve) => setImmediate(resolve));
  daemon.stop();
  assert.equal(await sending, false);
  assert.equal(daemon.most, windowSize / MiB);
});

test("it suits large content and content of unknown size, once the daemon has it too", async () => {
  const window = new TransferWindow(file);
  assert.equal(window.suits(100 * MiB), false);
  assert.deepEqual(
    [100 * MiB, 0, 1000].map((size) => window.wanted(size)),
    [true, true, false],
  );
  await window.mark();
  // Until the daemon has answered: the call may be cancelled before.
  assert.equal(window.wanted(100 * MiB), true);
  window.open(windowSize);
  assert.deepEqual(
    [100 * MiB, 0, 1000].map((size) => window.wanted(size)),
    [false, false, false],
  );
  assert.deepEqual(
    [100 * MiB, 0, 1000].map((size) => window.suits(size)),
    [true, true, false],
  );
  window.open(MiB);
  assert.equal(window.suits(100 * MiB), false);
});

test("what is shared starts where it says, takes no more than a window, and is left empty", async () => {
  const start = MiB;
  await file.truncate(start + 3 * windowSize);
  const window = new TransferWindow(file, { start, shared: true });
  const token = await window.mark();
  const read = async (length: number, position: number): Promise<Buffer> =>
    (await file.read({ buffer: Buffer.alloc(length), position })).buffer;
  assert.deepEqual(await read(token.length, start), Buffer.from(token));
  window.open(3 * windowSize);
  const daemon = new IdleDaemon();
  const sending = window.send(daemon, await openSource(Buffer.alloc(9 * MiB, "contents")));
  while (daemon.outstanding < windowSize / MiB) await new Promise((resolve) => setImmediate(resolve));
  daemon.stop();
  await sending;
  assert.equal((await read(8, start + 3 * MiB)).toString(), "contents");
  await window.release();
  assert.ok((await read(windowSize, start)).equals(Buffer.alloc(windowSize)));
  await file.truncate(windowSize);
});
