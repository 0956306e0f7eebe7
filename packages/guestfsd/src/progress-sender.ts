import { encodeProgress, progressInitialDelay, progressPeriod } from "@guestfs/protocol";
import type { Wire } from "./wire.ts";

/** Tells the client how far a call has come: first after 2 s, then three times a second. */
export class ProgressSender {
  readonly #wire: Wire;
  readonly #procedure: number;
  readonly #serial: number;
  #due = performance.now() + progressInitialDelay;
  #sentAny = false;
  #pulsed = false;

  constructor(wire: Wire, procedure: number, serial: number) {
    this.#wire = wire;
    this.#procedure = procedure;
    this.#serial = serial;
  }

  /** Milliseconds until a message may be sent, at least 1. */
  get wait(): number {
    return Math.max(1, Math.ceil(this.#due - performance.now()));
  }

  /** Sends a message when it is time for one, and always the last one when there was one before. */
  report(position: number, total: number): void {
    const last = position === total && this.#sentAny;
    if (!last && performance.now() < this.#due) return;
    this.#send(position, total);
  }

  /** Says that the call goes on, when it can't tell how far it is. */
  pulse(): void {
    if (performance.now() < this.#due) return;
    this.#pulsed = true;
    this.#send(0, 1);
  }

  /** Ends a run of pulses. */
  finish(): void {
    if (this.#pulsed) this.#send(1, 1);
    this.#pulsed = false;
  }

  #send(position: number, total: number): void {
    this.#wire.send(encodeProgress({ procedure: this.#procedure, serial: this.#serial, position, total }));
    this.#sentAny = true;
    this.#due = performance.now() + progressPeriod;
  }
}
