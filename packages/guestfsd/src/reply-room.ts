import { messageMax } from "@guestfs/protocol";
import { DaemonError } from "./daemon-error.ts";

const lengthWord = 4;

/** What is still free in a reply, for whoever gathers one: what a hostile file or tree makes too large ends at once. */
export class ReplyRoom {
  #left: number = messageMax;

  /**
   * Takes room for something.
   * @param size - bytes that it takes in the reply, or fewer
   * @throws DaemonError when it is more than one message holds
   */
  take(size: number): void {
    this.#left -= size;
    if (this.#left < 0)
      throw new DaemonError(`the result is larger than the ${messageMax} bytes of one message`, "EFBIG");
  }

  /** Takes room for a string or bytes of a length. */
  takeString(length: number): void {
    this.take(lengthWord + length);
  }
}
