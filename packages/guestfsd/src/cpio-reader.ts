import { DaemonError } from "./daemon-error.ts";

/** One file of an archive. */
export interface CpioEntry {
  readonly name: string;
  readonly nameBytes: Buffer;
  readonly mode: number;
  /** in bytes */
  readonly size: number;
}

/** Takes the content of a file piece by piece. */
export type CpioSink = (data: Buffer) => void;

const headerSize = 110;
const nameMax = 64 * 1024;
const trailer = "TRAILER!!!";

/** Reads a cpio archive in the `newc` or `crc` form (cpio(5)) as its bytes come. */
export class CpioReader {
  readonly #visit: (entry: CpioEntry) => CpioSink | undefined;
  #head = Buffer.alloc(0);
  #sink: CpioSink | undefined;
  #dataLeft = 0;
  #skip = 0;
  #ended = false;

  /** @param visit - told of each file; what it returns is given the content */
  constructor(visit: (entry: CpioEntry) => CpioSink | undefined) {
    this.#visit = visit;
  }

  /** Whether the last entry of the archive has come. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Takes the next bytes, up to the end of the archive.
   * @returns how many of them belong to the archive
   */
  push(data: Buffer): number {
    let at = 0;
    while (at < data.length && !this.#ended) {
      if (this.#dataLeft > 0) {
        const part = data.subarray(at, at + this.#dataLeft);
        this.#sink?.(part);
        this.#dataLeft -= part.length;
        at += part.length;
      } else if (this.#skip > 0) {
        const count = Math.min(this.#skip, data.length - at);
        this.#skip -= count;
        at += count;
      } else at += this.#pushHead(data.subarray(at));
    }
    return at;
  }

  #pushHead(data: Buffer): number {
    const held = this.#head.length;
    const want = held < headerSize ? headerSize : this.#headSize();
    const take = Math.min(want - held, data.length);
    this.#head = Buffer.concat([this.#head, data.subarray(0, take)]);
    if (this.#head.length === headerSize) this.#headSize();
    else if (this.#head.length > headerSize && this.#head.length === this.#headSize()) this.#enter();
    return take;
  }

  #field(index: number): number {
    const text = this.#head.toString("latin1", 6 + index * 8, 14 + index * 8);
    if (!/^[0-9a-fA-F]{8}$/.test(text))
      throw new DaemonError("a damaged cpio archive: a header without numbers", "EINVAL");
    return Number.parseInt(text, 16);
  }

  /** Bytes of the header with the name and the padding behind it. */
  #headSize(): number {
    const magic = this.#head.toString("latin1", 0, 6);
    if (magic !== "070701" && magic !== "070702")
      throw new DaemonError("a damaged cpio archive: no header where one must stand", "EINVAL");
    const nameSize = this.#field(11);
    if (nameSize === 0 || nameSize > nameMax)
      throw new DaemonError("a damaged cpio archive: a name out of range", "EINVAL");
    return pad(headerSize + nameSize);
  }

  #enter(): void {
    const nameEnd = headerSize + this.#field(11) - 1;
    const nameBytes = this.#head.subarray(headerSize, nameEnd);
    const size = this.#field(6);
    const entry = { name: nameBytes.toString("utf8"), nameBytes, mode: this.#field(1), size };
    this.#head = Buffer.alloc(0);
    this.#ended = entry.name === trailer;
    if (this.#ended) return;
    this.#sink = this.#visit(entry);
    this.#dataLeft = size;
    this.#skip = pad(size) - size;
  }
}

function pad(length: number): number {
  return length + ((4 - (length % 4)) % 4);
}
