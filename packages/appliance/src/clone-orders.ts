import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { firstBytes } from "./machine-process.ts";

/** The guest said something else than it should have, before its conversation began. */
export class CloneError extends Error {
  override readonly name: string = "CloneError";
}

const WORD = /^guestfsd ([a-z]+)$/;
const LINE_MAX = 256;

/**
 * Reads the next line that the daemon says before its greeting (guestfsd's clone.ts); bytes behind it stay in the channel.
 *
 * @throws CloneError when it is not `expected`
 */
export async function expectWord(channel: Socket, expected: string): Promise<void> {
  let line = Buffer.alloc(0);
  for (let end = -1; end === -1;) {
    await firstBytes(channel);
    line = Buffer.concat([line, channel.read() as Buffer]);
    end = line.indexOf(10);
    if (end === -1 && line.length < LINE_MAX) continue;
    if (end + 1 < line.length) channel.unshift(line.subarray(end + 1));
    const word = WORD.exec(line.toString("latin1", 0, end))?.[1];
    if (word !== expected) {
      const said = JSON.stringify(line.toString("latin1", 0, 40));
      throw new CloneError(`the daemon said ${said} where ${expected} was expected`);
    }
  }
}

const send = (channel: Socket, orders: Readonly<Record<string, unknown>>): void =>
  void channel.write(`${JSON.stringify(orders)}\n`);

/** Tells the daemon of a template in the making where its scratch drive is. */
export function sendScratch(channel: Socket, target: number): void {
  send(channel, { scratch: target });
}

/** Makes a restored machine a fresh one: randomness and names of its own, and the drives it has. */
export function sendOrders(channel: Socket, drives: readonly number[]): void {
  send(channel, {
    seed: randomBytes(64).toString("base64"),
    machineId: randomBytes(16).toString("hex"),
    hostName: `guestfs-${randomBytes(4).toString("hex")}`,
    drives,
  });
}

/** Waits until the daemon asks for the time, and tells it. */
export async function tellTime(channel: Socket): Promise<void> {
  await expectWord(channel, "time");
  send(channel, { time: `${Date.now()}000000` });
}
