import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  cancelFlag,
  codecOf,
  decodeChunk,
  encodeChunk,
  encodeErrorReply,
  encodeFlag,
  encodeMessage,
  encodeProgress,
  FrameDecoder,
  launchFlag,
  messageMax,
  Reader,
  readHeader,
} from "@guestfs/protocol";
import type { Arguments, Chunk, Frame, Header } from "@guestfs/protocol";
import { procedures } from "@guestfs/schema";
import type { Procedure } from "@guestfs/schema";

/** A call that a scripted peer received. */
export interface ReceivedCall {
  readonly row: Procedure;
  readonly header: Header;
  readonly args: Arguments;
}

/** The daemon's end of a conversation, to be led by hand. */
export class PeerConversation {
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder();
  readonly #bytes: AsyncIterator<Uint8Array>;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#bytes = (socket as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  }

  /** Sends bytes as they are. */
  send(bytes: Uint8Array | string): void {
    this.#socket.write(bytes);
  }

  /** Sends the word that a daemon sends first. */
  greet(): void {
    this.send(encodeFlag(launchFlag));
  }

  /** Sends the word that stops an upload. */
  cancel(): void {
    this.send(encodeFlag(cancelFlag));
  }

  chunk(chunk: Chunk): void {
    this.send(encodeChunk(chunk));
  }

  progress(call: ReceivedCall, position: number, total: number): void {
    this.send(encodeProgress({ procedure: call.row.proc as number, serial: call.header.serial, position, total }));
  }

  /** @param changes - header fields to get wrong */
  reply(call: ReceivedCall, result?: unknown, changes: Partial<Header> = {}): void {
    this.send(this.encodeReply(call, result, changes));
  }

  encodeReply(call: ReceivedCall, result?: unknown, changes: Partial<Header> = {}): Uint8Array {
    const header: Header = {
      ...call.header,
      direction: "reply",
      progressHint: 0,
      optionalMask: 0n,
      status: "ok",
      ...changes,
    };
    return encodeMessage(header, (writer) => codecOf(call.row).writeResult(writer, result));
  }

  replyError(call: ReceivedCall, errno: string, message: string): void {
    this.send(encodeErrorReply(call.header, { errno, message }));
  }

  /** The next frame; `undefined` when the client has gone. */
  async frame(): Promise<Frame | undefined> {
    for (;;) {
      const frame = this.#decoder.next();
      if (frame) return frame;
      const { done, value } = await this.#bytes.next();
      if (done === true) return undefined;
      this.#decoder.push(value);
    }
  }

  /** The next call. Flags in front of it are passed over. */
  async call(): Promise<ReceivedCall> {
    for (;;) {
      const frame = await this.frame();
      if (!frame) throw new Error("the client went away where a call should come");
      if (frame.type !== "message") continue;
      const reader = new Reader(frame.bytes);
      const header = readHeader(reader);
      const row = procedures.find((one) => one.proc === header.procedure);
      if (!row) throw new Error(`a call of the unknown procedure ${header.procedure}`);
      return { row, header, args: codecOf(row).readArguments(reader, header.optionalMask) };
    }
  }

  /** Takes chunks until the end or a cancellation. */
  async content(): Promise<{ readonly bytes: Uint8Array; readonly cancelled: boolean }> {
    const pieces: Uint8Array[] = [];
    for (;;) {
      const frame = await this.frame();
      if (frame?.type !== "message") throw new Error(`a ${frame?.type ?? "hang-up"} where a chunk should come`);
      const chunk = decodeChunk(frame.bytes, messageMax);
      if (chunk.type !== "data") return { bytes: Buffer.concat(pieces), cancelled: chunk.type === "cancel" };
      pieces.push(chunk.data.slice());
    }
  }

  /** Hangs up, behind what was sent. */
  end(): void {
    this.#socket.end();
  }
}

/** A peer that does what a test tells it. */
export interface ScriptedPeer extends AsyncDisposable {
  readonly socketPath: string;
  /** Settles when the script has ended; rejects with what it threw. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Listens on a unix socket and runs a script for its first client; later ones are taken and left alone.
 * When the script ends the connection stays open until {@link ScriptedPeer.stop}.
 */
export async function startScriptedPeer(
  script: (peer: PeerConversation) => Promise<void> | void,
): Promise<ScriptedPeer> {
  const folder = mkdtempSync(join(tmpdir(), "scripted-peer-"));
  const socketPath = join(folder, "peer.sock");
  const sockets = new Set<Socket>();
  const server = createServer();
  const ended = new Promise<void>((resolve, reject) => {
    server.on("connection", (socket) => {
      socket.on("error", () => undefined);
      const isFirst = sockets.size === 0;
      sockets.add(socket);
      if (isFirst) Promise.resolve(script(new PeerConversation(socket))).then(resolve, reject);
    });
  });
  ended.catch(() => undefined);
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  };
  return { socketPath, ended, stop, [Symbol.asyncDispose]: stop };
}
