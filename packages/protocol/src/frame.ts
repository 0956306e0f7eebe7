import { cancelFlag, launchFlag, messageMax, progressFlag, windowFlag } from "./constants.ts";
import { ProtocolError } from "./errors.ts";
import { decodeProgress, progressSize } from "./progress.ts";
import type { Progress } from "./progress.ts";

/** What stands next in the stream. */
export type Frame =
  | { readonly type: "launch" }
  | { readonly type: "cancel" }
  /** The oldest piece of the window that was sent may be used again. */
  | { readonly type: "window" }
  | { readonly type: "progress"; readonly progress: Progress }
  /** A message or a chunk: which of them, only the state of the conversation tells. A view, valid until the next `reserve` or `push`. */
  | { readonly type: "message"; readonly bytes: Uint8Array };

const initialCapacity = 64 * 1024;

/**
 * Cuts a stream of bytes into frames. Taken empty with {@link next} after each read, it holds at most one frame
 * and what was read with it: 4 MiB plus the largest single read, whatever the peer sends.
 */
export class FrameDecoder {
  #buffer = new Uint8Array(initialCapacity);
  #view = new DataView(this.#buffer.buffer);
  #start = 0;
  #end = 0;

  /** Bytes received that belong to no frame handed out yet. */
  get buffered(): number {
    return this.#end - this.#start;
  }

  /**
   * A place of at least `count` bytes for the next read; tell with {@link commit} how many were read.
   * Frames handed out before are no longer valid.
   */
  reserve(count: number): Uint8Array {
    if (this.#start === this.#end) this.#start = this.#end = 0;
    if (this.#buffer.length - this.#end < count) this.#makeRoom(count);
    return this.#end === 0 ? this.#buffer : this.#buffer.subarray(this.#end);
  }

  /**
   * @param count - bytes written into what {@link reserve} gave
   * @throws RangeError when that is more than there was room for
   */
  commit(count: number): void {
    if (count > this.#buffer.length - this.#end)
      throw new RangeError(`${count} bytes where ${this.#buffer.length - this.#end} had room`);
    this.#end += count;
  }

  /** Adds a copy of bytes that were received. Frames handed out before are no longer valid. */
  push(bytes: Uint8Array): void {
    this.reserve(bytes.length).set(bytes);
    this.commit(bytes.length);
  }

  /**
   * The next frame, or `undefined` while it is not complete.
   * @throws ProtocolError when the next word is neither a flag nor a length of at most 4 MiB
   */
  next(): Frame | undefined {
    const available = this.#end - this.#start;
    if (available < 4) return undefined;
    const word = this.#view.getUint32(this.#start);
    if (word <= messageMax) {
      if (available < 4 + word) return undefined;
      this.#start += 4;
      return { type: "message", bytes: this.#consume(word) };
    }
    switch (word) {
      case launchFlag:
        this.#consume(4);
        return { type: "launch" };
      case cancelFlag:
        this.#consume(4);
        return { type: "cancel" };
      case windowFlag:
        this.#consume(4);
        return { type: "window" };
      case progressFlag:
        if (available < 4 + progressSize) return undefined;
        return { type: "progress", progress: decodeProgress(this.#consume(4 + progressSize).subarray(4)) };
      default:
        throw new ProtocolError(`neither a flag nor a message length: 0x${word.toString(16).padStart(8, "0")}`);
    }
  }

  /** What is {@link buffered}, for a reader that has yet to find where frames begin. A view, valid until the next `reserve` or `push`. */
  peek(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /**
   * Drops the first bytes of what is {@link buffered}.
   * @throws RangeError when there are not so many
   */
  skip(count: number): void {
    if (count > this.#end - this.#start) throw new RangeError(`${count} bytes where ${this.buffered} are buffered`);
    this.#start += count;
  }

  #consume(count: number): Uint8Array {
    const bytes = this.#buffer.subarray(this.#start, this.#start + count);
    this.#start += count;
    return bytes;
  }

  #makeRoom(count: number): void {
    const held = this.#end - this.#start;
    const fits = held + count <= this.#buffer.length;
    // Doubled, so that bytes that trickle in are not copied again and again, but no further than to the largest
    // frame and one read.
    const doubled = Math.min(this.#buffer.length * 2, 4 + messageMax + count);
    const target = fits ? this.#buffer : new Uint8Array(Math.max(held + count, doubled));
    target.set(this.#buffer.subarray(this.#start, this.#end));
    this.#start = 0;
    this.#end = held;
    if (fits) return;
    this.#buffer = target;
    this.#view = new DataView(target.buffer);
  }
}

/** A bare word: the launch flag or the cancel flag. */
export function encodeFlag(flag: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, flag);
  return bytes;
}
