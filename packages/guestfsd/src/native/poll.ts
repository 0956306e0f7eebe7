import koffi from "koffi";
import { uninterrupted } from "./system-error.ts";

const poll = koffi.load("libc.so.6").func("poll", "int", ["void*", "ulong", "int"]) as (
  set: Uint8Array,
  count: number,
  timeout: number,
) => number;

export const POLLIN = 1;
export const POLLOUT = 4;
export const POLLERR = 8;
export const POLLHUP = 16;

/** poll(2) on a few descriptors. */
export class PollSet {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #count = 0;

  /** @param capacity - most descriptors it may hold */
  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity * 8);
    this.#view = new DataView(this.#bytes.buffer);
  }

  clear(): void {
    this.#count = 0;
  }

  /** @returns the place to ask {@link ready} for after {@link wait} */
  add(fd: number, events: number): number {
    const at = this.#count++;
    this.#view.setInt32(at * 8, fd, true);
    this.#view.setUint32(at * 8 + 4, events, true);
    return at;
  }

  /** @param timeout - milliseconds; 0 asks without waiting, -1 waits for ever */
  wait(timeout: number): number {
    return uninterrupted(() => poll(this.#bytes, this.#count, timeout), "poll");
  }

  /** The events that came, 0 for none. */
  ready(at: number): number {
    return this.#view.getUint16(at * 8 + 6, true);
  }
}
