import type { ByteString } from "./byte-string.ts";
import { ShellError } from "./shell-error.ts";

/** Lines of a script, read as they are needed, so that a program can feed the shell bit by bit. */
export class Script {
  /** How messages call it. */
  readonly name: string;
  /** Number of the line read last, from 1; 0 before the first. */
  line = 0;
  readonly #source: AsyncIterator<Uint8Array>;
  #buffer = "";
  #ended = false;
  /** Whether the line that {@link Script.next} gave last had CR LF at its end. */
  #crlf = false;

  /** Reads from a stream of bytes or a piece of text. */
  constructor(name: string, source: AsyncIterable<Uint8Array> | ByteString) {
    this.name = name;
    if (typeof source === "string") {
      this.#source = emptyIterator;
      this.#buffer = source;
      this.#ended = true;
    } else {
      this.#source = source[Symbol.asyncIterator]();
    }
  }

  /** The next line without its end (also CR LF); `undefined` after the last. */
  async next(): Promise<ByteString | undefined> {
    const line = await this.#next();
    this.#crlf = line?.endsWith("\r") === true;
    return this.#crlf ? line?.slice(0, -1) : line;
  }

  /** The next line as it is, without its LF. */
  async #next(): Promise<ByteString | undefined> {
    let from = 0;
    for (;;) {
      const end = this.#buffer.indexOf("\n", from);
      if (end !== -1) return this.#take(end, end + 1);
      if (this.#ended) return this.#buffer === "" ? undefined : this.#take(this.#buffer.length, this.#buffer.length);
      from = this.#buffer.length;
      await this.#fill();
    }
  }

  /**
   * The lines up to one that is just `marker`, byte for byte; in a script whose lines end in CR LF, the marker's does as
   * well. Throws {@link ShellError} when there is none.
   */
  async heredoc(marker: ByteString): Promise<ByteString> {
    let text = "";
    for (;;) {
      const line = await this.#next();
      if (line === undefined) throw new ShellError(`guestfish: the input ended before a line '${marker}'`);
      if (line === marker || (this.#crlf && line === `${marker}\r`)) return text;
      text += `${line}\n`;
    }
  }

  /** What was not read yet, to the end. */
  async *rest(): AsyncGenerator<Uint8Array> {
    const buffered = this.#buffer;
    this.#buffer = "";
    if (buffered !== "") yield Buffer.from(buffered, "latin1");
    while (!this.#ended) {
      const result = await this.#source.next();
      if (result.done === true) this.#ended = true;
      else yield result.value;
    }
  }

  #take(end: number, next: number): ByteString {
    const line = this.#buffer.slice(0, end);
    this.#buffer = this.#buffer.slice(next);
    this.line++;
    return line;
  }

  async #fill(): Promise<void> {
    const result = await this.#source.next();
    if (result.done === true) this.#ended = true;
    else this.#buffer += Buffer.from(result.value).toString("latin1");
  }
}

const emptyIterator: AsyncIterator<Uint8Array> = { next: () => Promise.resolve({ done: true, value: undefined }) };
