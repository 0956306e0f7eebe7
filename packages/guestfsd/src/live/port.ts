import type { Channel } from "../channel.ts";
import { closeDescriptor, PiecewiseTransfer, readNow, writeNow } from "../native/descriptor.ts";
import { EventPoll } from "../native/event-poll.ts";
import { queueSignals, takeSignals } from "../native/host-signal.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, PollSet } from "../native/poll.ts";

// A change that went unnoticed is seen this much later, in milliseconds.
const lookAgain = 1000;
/** What the kernel's driver takes off the port at a time, and what it hands over at a time. */
const [pageSize, writeSize] = [4096, 32 * 1024];
/** Most pages that are read in one go. */
const pagesMax = 32;
const dropped = new Uint8Array(pagesMax * pageSize);
const pages = new PiecewiseTransfer(pageSize, pagesMax);
/** A whole chunk, if there is room for it. */
const writes = new PiecewiseTransfer(writeSize, 32);
/** One signal may be a late one of data that was read already; a client that was replaced makes two, close together. */
const signalsOfReplacement = 2;
const closeTogether = 50;
/** How long to wait for the signal of a client that has just come, and then for none to follow, in milliseconds. */
const [arrival, quiet] = [20, 3];
/** For how long a client says nothing that has just come and waits for the greeting, in milliseconds. */
const silence = 30;
/**
 * For how long to look again and again for the next call, in milliseconds. Clients call in quick succession, and to be woken up takes an
 * emulated machine a fifth of a small call (Linux's haltpoll does the same for processors, for 0.2 ms). Longer is worse where the host is
 * busy: who has used up its share of a processor looking out waits for milliseconds then.
 */
const attention = 0.3;

/**
 * A virtio-serial port, which outlives the programs that connect to its host side (Linux, drivers/char/virtio_console.c):
 * while none is connected, poll(2) tells POLLHUP, a read gives what is left and then 0, and what is written is dropped.
 *
 * Where one program goes and the next one comes at once, all of that is over before anyone here has looked. But the
 * kernel signals each change of the host's side, and otherwise only data: signals without data, and then silence, tell of
 * a new client. That is a guess, as the signal of data may be late; {@link clientRecovers} ends it where it isn't needed.
 */
export class Port implements Channel {
  readonly clientMayBeReplaced: boolean = true;
  readonly #fd: number;
  readonly #poll = new PollSet(2);
  readonly #room = new PollSet(1);
  readonly #changes: EventPoll;
  readonly #signals: number;
  readonly #data: number;
  readonly #signalled: number;
  /** Reads since the signals were last looked at, which may have come with those data. */
  #reads = 0;
  #unexplained = 0;
  // No small integer: V8 would make the object anew when the first time comes.
  #lastSignal = Number.NEGATIVE_INFINITY;
  #recovers = false;
  #wholePages = false;
  readonly #dataPoll = new PollSet(1);
  readonly #signalPoll = new PollSet(1);

  /** @param fd - opened with O_NONBLOCK: a host that comes back between poll(2) and read(2) would make that wait */
  constructor(fd: number) {
    this.#fd = fd;
    this.#room.add(fd, POLLOUT);
    this.#dataPoll.add(fd, POLLIN);
    this.#changes = new EventPoll(fd);
    this.#signals = queueSignals(fd);
    this.#data = this.#poll.add(fd, POLLIN);
    this.#signalled = this.#poll.add(this.#signals, POLLIN);
    this.#signalPoll.add(this.#signals, POLLIN);
  }

  /** Waits until a program of the host is connected, and drops what an earlier one left behind. */
  awaitClient(): void {
    this.#recovers = false;
    let signalled = false;
    for (;;) {
      signalled = this.#drain() > 0 || signalled;
      if (this.connected) break;
      signalled = false;
      this.#changes.wait(lookAgain);
    }
    // The kernel changes the state first and signals then; a signal that came later would be taken for another client's.
    for (let wait = signalled ? quiet : arrival; this.#signalPoll.wait(wait) > 0; wait = quiet)
      takeSignals(this.#signals);
  }

  read(target: Uint8Array, midFrame: boolean): number {
    if (this.#recovers && !midFrame) return this.#readSurely(target);
    // Most of a bulk transfer stands there already.
    const ready = midFrame ? this.#read(target) : undefined;
    if (ready !== undefined) return ready;
    // Signals of what was read before say nothing of what comes now.
    if (this.#recovers) this.#forgetSignals();
    for (;;) {
      const suspicious = this.#reads === 0 && this.#suspicious;
      const state = this.#look(suspicious ? silence : this.#reads > 0 ? 0 : -1);
      const count = (state & POLLIN) === 0 ? undefined : this.#read(target);
      if (count !== undefined) return count;
      if ((state & (POLLHUP | POLLERR)) !== 0) return 0;
      if (suspicious && this.#poll.ready(this.#signalled) === 0) return 0;
      this.#takeSignals();
    }
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const left = at === 0 ? bytes : bytes.subarray(at);
      const count = left.length > writeSize ? writes.writeNow(this.#fd, left) : writeNow(this.#fd, left);
      if (count === undefined) this.#awaitRoom();
      else at += count;
    }
  }

  readable(): boolean {
    return (this.#look(0) & (POLLIN | POLLHUP)) !== 0;
  }

  gone(): boolean {
    const state = this.#look(0);
    if ((state & (POLLHUP | POLLERR)) !== 0) return true;
    if ((state & POLLIN) !== 0) return false;
    this.#takeSignals();
    return this.#suspicious && !this.#recovers;
  }

  clientRecovers(): void {
    this.#recovers = true;
  }

  /** Whether a program of the host is connected. */
  get connected(): boolean {
    return (this.#look(0) & POLLHUP) === 0;
  }

  close(): void {
    this.#changes.close();
    closeDescriptor(this.#signals);
    closeDescriptor(this.#fd);
  }

  #awaitRoom(): void {
    this.#room.wait(-1);
    if ((this.#room.ready(0) & (POLLHUP | POLLERR)) !== 0) throw new Error("the host's side was closed");
  }

  get #suspicious(): boolean {
    return this.#unexplained >= signalsOfReplacement;
  }

  #look(timeout: number): number {
    this.#poll.wait(timeout);
    return this.#poll.ready(this.#data);
  }

  #read(target: Uint8Array): number | undefined {
    const count = this.#take(target);
    if (count === undefined) return undefined;
    this.#reads++;
    // The sooner the signals that came with it are taken, the fewer others are among them.
    if (!this.#recovers && count < pageSize && (this.#look(0) & POLLIN) === 0) this.#takeSignals();
    return count;
  }

  /** Reads from a client that leaves nothing to guess. */
  #readSurely(target: Uint8Array): number {
    const until = performance.now() + attention;
    for (;;) {
      const count = this.#take(target);
      if (count !== undefined) return count;
      if (performance.now() >= until) this.#dataPoll.wait(-1);
    }
  }

  #take(target: Uint8Array): number | undefined {
    // Where a whole page came, more of them are likely to stand there; readv(2) takes them as far as they are full.
    const severalPages = this.#wholePages && target.length > pageSize;
    const count = severalPages
      ? pages.readNow(this.#fd, target)
      : readNow(this.#fd, target.length > pageSize ? target.subarray(0, pageSize) : target);
    if (count !== undefined) this.#wholePages = count > 0 && count % pageSize === 0;
    return count;
  }

  /** Takes what signals there are, when no data are left. */
  #takeSignals(): void {
    let count = 0;
    while (this.#poll.ready(this.#signalled) !== 0) {
      count += takeSignals(this.#signals);
      this.#poll.wait(0);
    }
    if (count > 0) this.#explain(count);
    else if (this.#reads > 0) this.#unexplained = 0;
    this.#reads = 0;
  }

  #explain(count: number): void {
    const now = performance.now();
    const before = now - this.#lastSignal < closeTogether ? this.#unexplained : 0;
    this.#lastSignal = now;
    if (this.#reads === 0) this.#unexplained = before + count;
    // One read takes one buffer of the host's, for which there was one signal at most. Where more were waiting, other
    // interrupts may have made more signals.
    else this.#unexplained = this.#reads === 1 && count > signalsOfReplacement ? signalsOfReplacement : 0;
  }

  /** Drops what an earlier client sent and what was signalled of it. @returns how many signals there were */
  #drain(): number {
    while ((this.#look(0) & POLLIN) !== 0) if ((pages.readNow(this.#fd, dropped) ?? 0) === 0) break;
    this.#wholePages = false;
    return this.#forgetSignals();
  }

  #forgetSignals(): number {
    let count = 0;
    while (this.#signalPoll.wait(0) > 0) count += takeSignals(this.#signals);
    this.#unexplained = 0;
    this.#reads = 0;
    return count;
  }
}
