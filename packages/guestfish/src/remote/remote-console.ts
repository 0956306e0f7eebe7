import { CommandLineError, GivenUp } from "guestfs/command-line";
import type { ByteString } from "../byte-string.ts";
import { toBytes } from "../byte-string.ts";
import type { Console } from "../console.ts";
import { OutputClosed } from "../output.ts";
import type { Output } from "../output.ts";
import type { FrameKind } from "./frame.ts";

/** What a listening guestfish needs of a connection to work for its other end. */
export interface Caller {
  /** Sends a frame, and waits until there is room for more; rejects when the caller is gone. */
  send(kind: FrameKind, body: Uint8Array | string): Promise<void>;
  /** Sends a question; rejects with the caller's refusal, or when it is gone. */
  ask(kind: FrameKind, body?: Uint8Array | string): Promise<Buffer>;
}

/** A question was not answered: why, in words; empty when the person gave up. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** Output travels in pieces of this size, in bytes, so that a cancellation is heard between them. */
const pieceSize = 1 << 18;

/** The console of `guestfish --remote`, as the listening guestfish sees it. */
export class RemoteConsole implements Console {
  readonly output: Output;
  readonly interactive = false;
  readonly progressBars: boolean;
  readonly inherited = false;
  readonly place = "";
  readonly #caller: Caller;

  constructor(caller: Caller, progressBars: boolean) {
    this.#caller = caller;
    this.progressBars = progressBars;
    this.output = {
      stdio: "ignore",
      async write(bytes) {
        for (let from = 0; from < bytes.length; from += pieceSize) {
          try {
            await caller.send("output", bytes.subarray(from, from + pieceSize));
          } catch (error) {
            throw new OutputClosed("the other end of --remote is gone", { cause: error });
          }
        }
      },
    };
  }

  writeError(text: string): void {
    // Whoever is gone misses it.
    void this.#caller.send("error", text).catch(() => undefined);
  }

  async *input(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = await this.#ask("askInput");
      if (piece.length === 0) return;
      yield piece;
    }
  }

  async heredoc(marker: ByteString): Promise<ByteString> {
    return (await this.#ask("askHeredoc", toBytes(marker))).toString("latin1");
  }

  async askKey(what: string): Promise<string> {
    return (await this.#ask("askKey", what)).toString("utf8");
  }

  async runHostCommand(command: ByteString): Promise<number> {
    return Number((await this.#ask("askHostCommand", toBytes(command))).toString("latin1"));
  }

  async #ask(kind: FrameKind, body?: Uint8Array | string): Promise<Buffer> {
    try {
      return await this.#caller.ask(kind, body);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.message === "") throw new GivenUp("the passphrase was not given", { cause: error });
      throw new CommandLineError(error.message, { cause: error });
    }
  }
}

/** The console of a listening guestfish that nobody talks to. */
export const nobody: Console = new RemoteConsole(
  { send: () => Promise.resolve(), ask: () => Promise.reject(new Refusal("nobody is there to be asked")) },
  false,
);
