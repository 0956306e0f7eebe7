import { readSync } from "node:fs";
import { EventPoll } from "../native/event-poll.ts";
import { POLLHUP, POLLIN, PollSet } from "../native/poll.ts";

// A change that went unnoticed is seen this much later, in milliseconds.
const lookAgain = 1000;
const drainSize = 64 * 1024;

/**
 * A virtio-serial port, which outlives the programs that connect to its host side (Linux, drivers/char/virtio_console.c):
 * while none is connected, poll(2) tells POLLHUP, a read gives what is left and then 0, and what is written is dropped.
 */
export class Port {
  readonly #fd: number;
  readonly #poll = new PollSet(1);
  readonly #changes: EventPoll;

  constructor(fd: number) {
    this.#fd = fd;
    this.#poll.add(fd, POLLIN);
    this.#changes = new EventPoll(fd);
  }

  /** Waits until a program of the host is connected, and drops what an earlier one left behind. */
  awaitClient(): void {
    for (;;) {
      this.#drain();
      if ((this.#state() & POLLHUP) === 0) return;
      this.#changes.wait(lookAgain);
    }
  }

  #drain(): void {
    const buffer = new Uint8Array(drainSize);
    while ((this.#state() & POLLIN) !== 0) if (readSync(this.#fd, buffer, 0, drainSize, null) === 0) return;
  }

  #state(): number {
    return this.#poll.wait(0) > 0 ? this.#poll.ready(0) : 0;
  }
}
