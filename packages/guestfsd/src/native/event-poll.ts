import koffi from "koffi";
import { closeDescriptor } from "./descriptor.ts";
import { check } from "./system-error.ts";

const libc = koffi.load("libc.so.6");
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;
const EPOLLOUT = 4;
const EPOLLET = 0x8000_0000;

type EpollWait = (epoll: number, events: Uint8Array, max: number, timeout: number) => number;

/**
 * Waits for a descriptor's state to *change* (epoll(7), edge-triggered). A virtio port whose host side is closed is always
 * "ready" for poll(2), so poll can't wait for the host to come back; this can.
 */
export class EventPoll {
  readonly #epoll: number;
  readonly #wait: EpollWait;
  readonly #event: Uint8Array;

  constructor(fd: number) {
    const create = libc.func("epoll_create1", "int", ["int"]) as (flags: number) => number;
    const control = libc.func("epoll_ctl", "int", ["int", "int", "int", "void*"]) as (
      epoll: number,
      operation: number,
      fd: number,
      event: Uint8Array,
    ) => number;
    this.#wait = libc.func("epoll_wait", "int", ["int", "void*", "int", "int"]) as EpollWait;
    this.#epoll = check(create(EPOLL_CLOEXEC), "epoll_create1");
    // struct epoll_event is packed on x86-64 and not elsewhere; only its first word matters.
    const event = new Uint8Array(16);
    new DataView(event.buffer).setUint32(0, EPOLLIN | EPOLLOUT | EPOLLET, true);
    check(control(this.#epoll, EPOLL_CTL_ADD, fd, event), "epoll_ctl");
    this.#event = event;
  }

  close(): void {
    closeDescriptor(this.#epoll);
  }

  /** Returns at a change since the last time, or after so many milliseconds. */
  wait(timeout: number): void {
    this.#wait(this.#epoll, this.#event, 1, timeout);
  }
}
