import { ProtocolError } from "@guestfs/protocol";
import type { ByteSink } from "../transfer/byte-sink.ts";
import { MemorySink } from "../transfer/memory-sink.ts";

/** No path, and no target of a link, is that long, in bytes. */
const longestText = 1024 * 1024;

/** Keeps the records of a walk, as far as they are not too many; else it stops the call. */
export class RecordSink implements ByteSink {
  readonly #kept = new MemorySink();
  readonly #limit: number;
  #length = 0;
  #sinceEnd = 0;
  #overflowed = false;
  #wrong: ProtocolError | undefined;

  /** @param limit - most bytes to keep */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether there were too many. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  /** What was wrong with them. */
  get wrong(): ProtocolError | undefined {
    return this.#wrong;
  }

  open(): undefined {}

  write(bytes: Uint8Array): undefined {
    const end = bytes.lastIndexOf(0);
    this.#sinceEnd = end < 0 ? this.#sinceEnd + bytes.length : bytes.length - end - 1;
    if (this.#sinceEnd > longestText) {
      this.#wrong = new ProtocolError(`more than ${longestText} bytes of a walk without an end of a record`);
      throw this.#wrong;
    }
    this.#length += bytes.length;
    this.#overflowed = this.#length > this.#limit;
    if (this.#overflowed) throw new Error(`more than ${this.#limit} bytes`);
    this.#kept.write(bytes);
  }

  end(): undefined {}

  abort(): Promise<void> {
    return Promise.resolve();
  }

  /** All that was received. */
  bytes(): Uint8Array {
    return this.#kept.bytes();
  }
}
