import { writeSync } from "node:fs";
import { directAlignment, DirectMode } from "./direct-mode.ts";

/** Writes large blocks past the page cache. What does not fit is written as usual. */
export class DirectWriter {
  readonly #fd: number;
  readonly #mode: DirectMode;

  /** @param fd - a file or a block device; {@link end} puts its flags back */
  constructor(fd: number) {
    this.#fd = fd;
    this.#mode = new DirectMode(fd);
  }

  /** @param data - in memory that begins on a page */
  write(data: Uint8Array): void {
    let written = 0;
    try {
      if (data.length % directAlignment === 0 && this.#mode.begin())
        while (written < data.length) written += writeSync(this.#fd, data, written, data.length - written, null);
    } catch (error) {
      this.#mode.refuse(error);
    }
    if (written < data.length) this.#mode.off();
    while (written < data.length) written += writeSync(this.#fd, data, written, data.length - written, null);
  }

  /** From here on the descriptor is as it was. */
  end(): void {
    this.#mode.off();
  }
}
