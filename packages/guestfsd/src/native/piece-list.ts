import koffi from "koffi";

const wordsOfEntry = 4;
const word = 2 ** 32;

/**
 * A list of `struct iovec` (readv(2)) that cuts memory into pieces of one size. It is filled in without making an object
 * for each piece, which would cost more than reading it where a processor is emulated.
 */
export class PieceList {
  /** What the system call is given. */
  readonly table: Uint32Array;
  readonly #size: number;
  readonly #most: number;
  /** Memory whose address is known; it is held, so that no other one comes to stand there. */
  #memory: ArrayBufferLike | undefined;
  #address = 0;

  /**
   * @param size - bytes of a piece
   * @param most - how many pieces there are at most
   */
  constructor(size: number, most: number) {
    this.#size = size;
    this.#most = most;
    this.table = new Uint32Array(most * wordsOfEntry);
    for (let entry = 0; entry < most; entry++) this.table[entry * wordsOfEntry + 2] = size;
  }

  /**
   * Points at the whole pieces that `bytes` begins with.
   * @param bytes - of memory outside of JavaScript's heap, which stays where it is: larger than 64 bytes
   * @returns how many entries of {@link table} are valid
   */
  cover(bytes: Uint8Array): number {
    if (this.#memory !== bytes.buffer) {
      this.#address = Number(koffi.address(bytes)) - bytes.byteOffset;
      this.#memory = bytes.buffer;
    }
    const count = Math.min(Math.floor(bytes.length / this.#size), this.#most);
    const { table } = this;
    const start = this.#address + bytes.byteOffset;
    let high = Math.floor(start / word);
    let low = start % word;
    for (let at = 0; at < count * wordsOfEntry; at += wordsOfEntry) {
      table[at] = low;
      table[at + 1] = high;
      low += this.#size;
      if (low >= word) {
        low -= word;
        high++;
      }
    }
    return count;
  }
}
