import koffi from "koffi";
import { closeSync, readSync } from "node:fs";
import { POLLIN, PollSet } from "./poll.ts";
import { check } from "./system-error.ts";

const libc = koffi.load("libc.so.6");
const socketC = libc.func("socket", "int", ["int", "int", "int"]) as (
  family: number,
  type: number,
  protocol: number,
) => number;
const bindC = libc.func("bind", "int", ["int", "void*", "uint"]) as (
  fd: number,
  address: Uint8Array,
  length: number,
) => number;

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const NETLINK_KOBJECT_UEVENT = 15;
const kernelGroup = 1;
const messageMax = 8192;

/** What the kernel tells about its devices, from the moment this is made (netlink(7), NETLINK_KOBJECT_UEVENT). */
export class Uevents {
  readonly #fd: number;
  readonly #poll = new PollSet(1);
  readonly #buffer = Buffer.alloc(messageMax);

  constructor() {
    this.#fd = check(socketC(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT), "socket");
    // struct sockaddr_nl: family, padding, port, groups
    const address = new Uint8Array(12);
    const view = new DataView(address.buffer);
    view.setUint16(0, AF_NETLINK, true);
    view.setUint32(8, kernelGroup, true);
    check(bindC(this.#fd, address, address.length), "bind");
    this.#poll.add(this.#fd, POLLIN);
  }

  /**
   * Waits for the next event.
   * @param timeout - milliseconds
   * @returns `ACTION@DEVPATH`, `undefined` when none came; empty when some were lost
   */
  next(timeout: number): string | undefined {
    if (this.#poll.wait(timeout) === 0) return undefined;
    try {
      const length = readSync(this.#fd, this.#buffer, 0, messageMax, null);
      return this.#buffer.toString("latin1", 0, Math.max(this.#buffer.indexOf(0), 0)).slice(0, length);
    } catch (error) {
      // The socket's buffer overflowed.
      if ((error as NodeJS.ErrnoException).code === "ENOBUFS") return "";
      throw error;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}
