import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { firstBytes } from "./machine-process.ts";

/** The guest said something else than it should have, before its conversation began. */
export class CloneError extends Error {
  override readonly name: string = "CloneError";
}

const LINE_MAX = 64;

/**
 * Reads the next line that the daemon says before its greeting (guestfsd's clone.ts). Bytes that are no such line stay in the channel.
 *
 * @returns the word, `undefined` when something else came
 */
async function nextWord(channel: Socket): Promise<string | undefined> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    await firstBytes(channel);
    bytes = Buffer.concat([bytes, channel.read() as Buffer]);
    const match = /^guestfsd ([a-z]+)\n/.exec(bytes.toString("latin1", 0, LINE_MAX));
    if (match !== null) {
      if (bytes.length > match[0].length) channel.unshift(bytes.subarray(match[0].length));
      return match[1];
    }
    const maybe = bytes.length < LINE_MAX && bytes[0] === 0x67 && !bytes.includes(10);
    if (maybe) continue;
    channel.unshift(bytes);
    return undefined;
  }
}

/**
 * Waits until the daemon is ready for orders.
 *
 * @throws CloneError when it says something else
 */
export async function ready(channel: Socket): Promise<void> {
  const word = await nextWord(channel);
  if (word !== "ready") throw new CloneError("the daemon is not one that can be cloned");
}

// The layouts are guestfsd's, see its clone-orders.ts.
const IDENTITY_BYTES = 128;
const ORDERS_BYTES = 48;
const SEED_BYTES = 64;

/** What the daemon is told. */
export interface Orders {
  /**
   * The real thing, something to rehearse with a disk that may be written to, or with one that has nothing in it, or having what is
   * called often compiled.
   */
  purpose: "launch" | "rehearsal" | "clearing" | "compilation";
  /** Whether the disk that the machine has got something else in it; if not, it has been taken away. */
  slotFilled: boolean;
  /** SCSI targets at which disks have come. */
  drives: readonly number[];
}

const purposes = { launch: 0, rehearsal: 1, clearing: 2, compilation: 3 };

/** The bytes that make a clone another machine: randomness and names, new in each call. */
export function encodeIdentity(): Buffer {
  const bytes = Buffer.alloc(IDENTITY_BYTES);
  bytes.writeInt32LE(SEED_BYTES * 8, 0);
  bytes.writeInt32LE(SEED_BYTES, 4);
  bytes.set(randomBytes(SEED_BYTES), 8);
  bytes.write(`${randomBytes(16).toString("hex")}\n`, 72, "latin1");
  bytes.write(`guestfs-${randomBytes(4).toString("hex")}`, 112, "latin1");
  return bytes;
}

/** The bytes of the orders. */
export function encodeOrders({ purpose, slotFilled, drives }: Orders): Buffer {
  const bytes = Buffer.alloc(ORDERS_BYTES);
  for (const target of drives) bytes[target >> 3] = (bytes[target >> 3] ?? 0) | (1 << (target & 7));
  bytes[32] = purposes[purpose];
  bytes[33] = slotFilled ? 1 : 0;
  return bytes;
}

function encodeTime(): Buffer {
  const now = Date.now();
  const bytes = Buffer.alloc(16);
  bytes.writeBigInt64LE(BigInt(Math.floor(now / 1000)), 0);
  bytes.writeBigInt64LE(BigInt(now % 1000) * 1_000_000n, 8);
  return bytes;
}

/** Makes the machine of a daemon that is ready another one. Orders have to follow; its drives need not be there yet. */
export function sendIdentity(channel: Socket): void {
  channel.write(encodeIdentity());
}

/**
 * Tells a daemon that has its identity about its drives, and the time as often as it asks for it. Ends when something else comes, which
 * stays in the channel: the greeting. A rehearsal ends when the daemon is ready once more.
 *
 * @throws CloneError
 */
export async function sendOrders(channel: Socket, orders: Orders): Promise<void> {
  channel.write(encodeOrders(orders));
  for (;;) {
    const word = await nextWord(channel);
    if (word === "time") channel.write(encodeTime());
    else if ((word === "ready") === (orders.purpose !== "launch")) return;
    else throw new CloneError(`the daemon did not do as it was told: ${word ?? "it greeted"}`);
  }
}
