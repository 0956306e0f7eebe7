import { constants } from "node:fs";
import { setStatusFlags, statusFlags } from "./native/file.ts";

/** What O_DIRECT wants lengths and places to be a multiple of, whatever the disk. */
export const directAlignment = 4096;

/**
 * A descriptor of a file or block device that goes past the page cache for a while, where its filesystem can (open(2), O_DIRECT). For
 * large blocks each page of that cache costs the kernel more than the disk does.
 */
export class DirectMode {
  readonly #fd: number;
  readonly #flags: number;
  #on = false;
  #refused = false;

  /** @param fd - {@link off} puts its flags back */
  constructor(fd: number) {
    this.#fd = fd;
    this.#flags = statusFlags(fd);
  }

  /** Begins it; returns whether it is on. */
  begin(): boolean {
    if (this.#on || this.#refused) return this.#on;
    try {
      setStatusFlags(this.#fd, this.#flags | constants.O_DIRECT);
      this.#on = true;
    } catch {
      this.#refused = true;
    }
    return this.#on;
  }

  /**
   * Takes the error of a system call on the descriptor: EINVAL says that this does not work here, and it is off for good.
   * @throws the error when it is another, or when this was off
   */
  refuse(error: unknown): void {
    if (!this.#on || (error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
    this.#refused = true;
    this.off();
  }

  /** From here on the descriptor is as it was. */
  off(): void {
    if (!this.#on) return;
    setStatusFlags(this.#fd, this.#flags);
    this.#on = false;
  }
}
