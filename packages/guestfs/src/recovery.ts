import { randomInt } from "node:crypto";
import { encodeFlag, encodeMessage, launchFlag } from "@guestfs/protocol";
import type { Header } from "@guestfs/protocol";
import { procedureByName } from "@guestfs/schema";

/** Pause before the second question, in milliseconds; each one after it is twice as long. */
const firstPause = 100;
const greeting = encodeFlag(launchFlag);

function beginsWith(whole: Uint8Array, part: Uint8Array): boolean {
  return part.every((byte, at) => whole[at] === byte);
}

/**
 * Finds the place in a stream where a conversation can begin, when the daemon's greeting is not what comes first: it
 * greeted someone before us, or the rest of an earlier conversation is still on its way. A question that changes
 * nothing, `ping_daemon`, is sent with a serial nobody else uses; behind its reply nothing older can come. Should the
 * daemon have taken the question for a part of what came before, the next one gets through.
 */
export class Recovery {
  readonly #send: (bytes: Uint8Array) => void;
  #reply: Uint8Array = new Uint8Array(0);
  #pause = firstPause;
  #timer: NodeJS.Timeout | undefined;
  #found = false;
  #passedOver = false;

  /** Asks for the first time. */
  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send;
    this.#ask();
  }

  /** Whether the reply has come: what follows it is the conversation. */
  get found(): boolean {
    return this.#found;
  }

  /** Whether other bytes than a greeting came before the reply. */
  get passedOver(): boolean {
    return this.#passedOver;
  }

  /** @returns how many of the bytes are of no more use */
  scan(bytes: Uint8Array): number {
    const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(this.#reply);
    const rest = at < 0 ? Math.max(0, bytes.length - this.#reply.length + 1) : at;
    const before = at < 0 ? bytes : bytes.subarray(0, at);
    if (!beginsWith(this.#reply, before) && !beginsWith(greeting, before)) this.#passedOver = true;
    if (at < 0) return rest;
    this.#found = true;
    return at + this.#reply.length;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #ask(): void {
    const header = {
      procedure: procedureByName.get("ping_daemon")?.proc as number,
      serial: randomInt(0x1_0000_0000),
      progressHint: 0,
      optionalMask: 0n,
      status: "ok",
    } satisfies Partial<Header>;
    this.#reply = encodeMessage({ ...header, direction: "reply" }, () => undefined);
    this.#send(encodeMessage({ ...header, direction: "call" }, () => undefined));
    this.#timer = setTimeout(() => this.#ask(), this.#pause);
    this.#pause *= 2;
  }
}
