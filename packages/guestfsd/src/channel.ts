import { readBlocking, writeAll } from "./native/descriptor.ts";
import { POLLERR, POLLHUP, POLLIN, PollSet } from "./native/poll.ts";

/** The byte stream to the client, as a blocking program sees it. */
export interface Channel {
  /** Whether a client may go and another one come without a sign, as on a virtio-serial port. */
  readonly clientMayBeReplaced: boolean;
  /**
   * Waits for bytes; 0 when the client has gone.
   * @param midFrame - what was read last ends in the middle of a frame
   */
  read(target: Uint8Array, midFrame: boolean): number;
  /** Returns when every byte is handed over. */
  write(bytes: Uint8Array): void;
  /** Whether a read would not wait. */
  readable(): boolean;
  /** Whether the client has closed its end, so that nothing sent will be read. */
  gone(): boolean;
  /** The client finds out by itself when it is not the one that is served. */
  clientRecovers(): void;
}

/** A channel over an open descriptor: a virtio-serial port, a socket or one end of a pair. */
export class DescriptorChannel implements Channel {
  readonly clientMayBeReplaced: boolean;
  readonly #fd: number;
  readonly #poll = new PollSet(1);
  readonly #beforeRead: (() => void) | undefined;

  /** @param beforeRead - called before each read that may wait */
  constructor(fd: number, clientMayBeReplaced: boolean, beforeRead?: () => void) {
    this.clientMayBeReplaced = clientMayBeReplaced;
    this.#fd = fd;
    this.#beforeRead = beforeRead;
    this.#poll.add(fd, POLLIN);
  }

  read(target: Uint8Array): number {
    this.#beforeRead?.();
    return readBlocking(this.#fd, target);
  }

  write(bytes: Uint8Array): void {
    writeAll(this.#fd, bytes);
  }

  readable(): boolean {
    return this.#poll.wait(0) > 0;
  }

  gone(): boolean {
    return this.#poll.wait(0) > 0 && (this.#poll.ready(0) & (POLLHUP | POLLERR)) !== 0;
  }
  clientRecovers(): void {
    // The end of a descriptor is certain, whoever the client is.
  }
}
