import { connect } from "node:net";
import type { Socket } from "node:net";
import {
  codecOf,
  decodeChunk,
  encodeChunk,
  encodeMessage,
  extendedChunkMax,
  FrameDecoder,
  Reader,
  readErrorBody,
  readHeader,
} from "@guestfs/protocol";
import type { Arguments, Frame, Header } from "@guestfs/protocol";
import { procedureByName } from "@guestfs/schema";
import type { Procedure } from "@guestfs/schema";

/** An error reply, as it came. */
export class ReplyError extends Error {
  override readonly name: string = "ReplyError";
  readonly errno: string;
  readonly header: Header;

  constructor(header: Header, errno: string, message: string) {
    super(message);
    this.errno = errno;
    this.header = header;
  }
}

/** A reply, taken apart. */
export interface Reply {
  readonly header: Header;
  readonly result: unknown;
}

function rowNamed(name: string): Procedure & { readonly proc: number } {
  const row = procedureByName.get(name);
  if (row?.proc === undefined) throw new TypeError(`${name}: no call of a daemon`);
  return { ...row, proc: row.proc };
}

/** A client that does as it is told, right or wrong: to see what a daemon makes of it. */
export class RawClient {
  readonly socket: Socket;
  readonly #decoder = new FrameDecoder();
  readonly #bytes: AsyncIterator<Uint8Array>;
  #serial = 1;

  constructor(socket: Socket) {
    this.socket = socket;
    // A peer that goes away is seen by the next read.
    socket.on("error", () => undefined);
    this.#bytes = (socket as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  }

  /** Connects and takes the greeting. */
  static async connect(path: string): Promise<RawClient> {
    const socket = connect(path);
    await new Promise<void>((settle, fail) => {
      socket.once("connect", () => settle());
      socket.once("error", fail);
    });
    const client = new RawClient(socket);
    const frame = await client.frame();
    if (frame?.type !== "launch") throw new Error(`greeted with ${frame?.type ?? "nothing"}`);
    return client;
  }

  /** Sends bytes as they are. */
  send(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** The next frame; `undefined` when the daemon has closed its end. A message is a copy. */
  async frame(): Promise<Frame | undefined> {
    for (;;) {
      const frame = this.#decoder.next();
      if (frame) return frame.type === "message" ? { ...frame, bytes: frame.bytes.slice() } : frame;
      let next: IteratorResult<Uint8Array>;
      try {
        next = await this.#bytes.next();
      } catch {
        return undefined;
      }
      if (next.done) return undefined;
      this.#decoder.push(next.value);
    }
  }

  /** @param changes - header fields to get wrong */
  encodeCall(name: string, args: Arguments = {}, changes: Partial<Header> = {}): Uint8Array {
    const row = rowNamed(name);
    const codec = codecOf(row);
    const header: Header = {
      procedure: row.proc,
      direction: "call",
      serial: this.#serial++,
      progressHint: 0,
      optionalMask: codec.optionalMask(args),
      status: "ok",
      ...changes,
    };
    return encodeMessage(header, (writer) => codec.writeArguments(writer, args));
  }

  /**
   * Waits for a reply; progress messages and the daemon's cancel flag before it are dropped.
   * @throws ReplyError when it is an error
   */
  async reply(name: string): Promise<Reply> {
    for (;;) {
      const frame = await this.frame();
      if (!frame) throw new Error(`${name}: the daemon closed its end`);
      if (frame.type !== "message") continue;
      const reader = new Reader(frame.bytes);
      const header = readHeader(reader);
      if (header.status === "ok") return { header, result: codecOf(rowNamed(name)).readResult(reader) };
      const { errno, message } = readErrorBody(reader);
      throw new ReplyError(header, errno, message);
    }
  }

  /** Makes a call without files. */
  async call(name: string, args: Arguments = {}): Promise<unknown> {
    this.send(this.encodeCall(name, args));
    return (await this.reply(name)).result;
  }

  /** Makes a call that a file goes with. */
  async upload(name: string, args: Arguments, content: Uint8Array): Promise<unknown> {
    this.send(this.encodeCall(name, args));
    for (let at = 0; at < content.length; at += 8192)
      this.send(encodeChunk({ type: "data", data: content.subarray(at, at + 8192) }));
    this.send(encodeChunk({ type: "end" }));
    return (await this.reply(name)).result;
  }

  /**
   * Makes a call that gives a file.
   * @throws Error when the daemon breaks the file off
   */
  async download(name: string, args: Arguments): Promise<Buffer> {
    await this.call(name, args);
    return this.receiveFile();
  }

  /** Takes the chunks of a file. */
  async receiveFile(): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for (;;) {
      const frame = await this.frame();
      if (!frame) throw new Error("the daemon closed its end in the middle of a file");
      if (frame.type !== "message") continue;
      const chunk = decodeChunk(frame.bytes, extendedChunkMax);
      if (chunk.type === "end") return Buffer.concat(parts);
      if (chunk.type === "cancel") throw new Error("the daemon broke the file off");
      parts.push(chunk.data);
    }
  }

  /** Goes away without a word. */
  close(): void {
    this.socket.destroy();
  }
}
