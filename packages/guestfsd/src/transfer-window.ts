import { windowSerial } from "@guestfs/protocol";
import type { WindowPiece } from "@guestfs/protocol";
import { closeSync, constants, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { DaemonError } from "./daemon-error.ts";
import { deviceSize } from "./native/block.ts";
import { alignedMemory } from "./native/memory-map.ts";

/** O_DIRECT reads whole sectors. */
const sector = 4096;
const pieceMax = 1024 * 1024;

let memory: Uint8Array | undefined;

function serialOf(name: string): string {
  try {
    return readFileSync(`/sys/block/${name}/serial`, "latin1").trim();
  } catch {
    return "";
  }
}

/** A disk that the client writes content of uploads to, and this side reads. PROTOCOL.md, "The window". */
export class TransferWindow {
  /** Under this key the conversation keeps it. */
  static readonly key: unique symbol = Symbol("window");
  /** bytes */
  readonly size: number;
  readonly #fd: number;
  readonly #start: number;
  readonly #memory: Uint8Array;

  private constructor(fd: number, start: number, size: number) {
    this.#fd = fd;
    this.#start = start;
    this.size = size;
    this.#memory = memory ??= alignedMemory(pieceMax);
  }

  /**
   * Finds the disk.
   * @param token - what has to stand at the window's start
   * @param start - where on the disk that is, in bytes
   * @throws DaemonError when there is none, or another
   */
  static open(token: Uint8Array, start: number): TransferWindow {
    const name = readdirSync("/sys/block").find((block) => block.startsWith("vd") && serialOf(block) === windowSerial);
    if (name === undefined) throw new DaemonError("this machine has no window", "ENODEV");
    const fd = openSync(`/dev/${name}`, constants.O_RDONLY | constants.O_DIRECT);
    try {
      const size = deviceSize(fd) - start;
      if (start < 0 || start % sector !== 0 || token.length > Math.min(size, pieceMax))
        throw new DaemonError(`there is no window at byte ${start}`, "EINVAL");
      const window = new TransferWindow(fd, start, size);
      if (token.length >= 16 && Buffer.compare(window.read({ offset: 0, length: token.length }), token) === 0)
        return window;
      throw new DaemonError("the window is not the client's", "EINVAL");
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /**
   * The bytes of a piece, valid until the next is read.
   * @throws DaemonError when it can't be read
   */
  read(piece: WindowPiece): Uint8Array {
    const start = piece.offset - (piece.offset % sector);
    const skipped = piece.offset - start;
    const wanted = Math.ceil((skipped + piece.length) / sector) * sector;
    if (wanted > pieceMax) throw new DaemonError(`a piece of ${piece.length} bytes in the window`, "EINVAL");
    const count = readSync(this.#fd, this.#memory, 0, wanted, this.#start + start);
    if (count < skipped + piece.length) throw new DaemonError("the window ends early", "EIO");
    return this.#memory.subarray(skipped, skipped + piece.length);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
