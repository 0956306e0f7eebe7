import { createConnection } from "node:net";
import type { Socket } from "node:net";
import { GivenUp } from "guestfs/command-line";
import { toBytes } from "../byte-string.ts";
import type { ByteString } from "../byte-string.ts";
import { ShellError } from "../shell-error.ts";
import { Reported } from "../shell.ts";
import type { RemoteCommands, Shell } from "../shell.ts";
import { encodeFrame, FrameFault, readFrames, sendFrame } from "./frame.ts";
import type { Frame, FrameKind } from "./frame.ts";
import { greeting, parseCompletions, parseResult } from "./request.ts";
import type { RunRequest } from "./request.ts";
import { checkSocket, socketPath } from "./socket-path.ts";

/** Standard input travels in pieces of this size, in bytes. */
const pieceSize = 1 << 20;

/** The listening guestfish that `--remote` sends commands to. Each command has a connection of its own. */
export class RemoteShell implements RemoteCommands {
  readonly #pid: string;

  /** `pid`: process number of the listening guestfish. */
  constructor(pid: string) {
    this.#pid = pid;
  }

  /**
   * Has a command run there, with this shell's output, input, keys and terminal. Throws {@link Reported} when it
   * failed there, ShellError when nobody listens.
   * @param words - empty: what the options of `--listen` ask for
   * @param forgiven - the listening guestfish goes on after a failure
   */
  async run(shell: Shell, words: readonly ByteString[], forgiven: boolean): Promise<void> {
    const request: RunRequest = { words, exitOnError: !forgiven, progressBars: shell.console.progressBars };
    await this.#connected(async (socket, frames) => {
      await sendFrame(socket, "run", JSON.stringify(request));
      const questions = new Questions(shell);
      let cancelled = false;
      const cancel = (): void => {
        if (!cancelled) socket.write(encodeFrame("cancel"));
        cancelled = true;
      };
      for (;;) {
        const { kind, body } = await shell.interruptible((signal) => nextUnlessCancelled(frames, signal, cancel));
        if (kind === "output") {
          await shell.output.write(body);
        } else if (kind === "error") {
          shell.console.writeError(body.toString("utf8"));
        } else if (kind === "result") {
          const { ok, leaving } = parseResult(body);
          if (leaving) shell.leaving = true;
          if (!ok) throw questions.givenUp ?? new Reported();
          return;
        } else {
          await sendFrame(socket, ...(await questions.answer(kind, body)));
        }
      }
    });
  }

  /** What the end of a line may become there. */
  complete(line: string): Promise<readonly [string[], string]> {
    return this.#connected(async (socket, frames) => {
      await sendFrame(socket, "complete", line);
      const { kind, body } = await next(frames);
      if (kind !== "completions") throw new FrameFault(`${kind} is no answer to a line`);
      return parseCompletions(body);
    });
  }

  async #connected<Value>(work: (socket: Socket, frames: AsyncIterator<Frame>) => Promise<Value>): Promise<Value> {
    checkSocket(this.#pid);
    const socket = createConnection(socketPath(this.#pid));
    try {
      await new Promise<void>((resolve, reject) => void socket.once("error", reject).once("connect", resolve));
      const frames = readFrames(socket);
      await sendFrame(socket, "hello", greeting());
      const { kind, body } = await next(frames);
      const theirs = body.toString("utf8");
      if (kind !== "hello" || theirs !== greeting())
        throw new ShellError(
          `guestfish: --remote: process ${this.#pid} is ${/^[\w. -]{1,80}$/.test(theirs) ? theirs : "something else"}, this is ${greeting()}: both have to be the same`,
        );
      return await work(socket, frames);
    } catch (error) {
      throw this.#explain(error);
    } finally {
      socket.destroy();
    }
  }

  #explain(error: unknown): unknown {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ECONNREFUSED" || code === "ENOENT")
      return new ShellError(
        `guestfish: --remote: process ${this.#pid} does not listen any more: start another with: eval "$(guestfish --listen)"`,
        { cause: error },
      );
    if (error instanceof FrameFault || code === "ECONNRESET" || code === "EPIPE")
      return new ShellError(
        `guestfish: --remote: process ${this.#pid} ended, or let go of the connection, before the command was done`,
        { cause: error },
      );
    return error;
  }
}

/** What the listening guestfish asks for while a command runs. */
class Questions {
  /** The person wanted no more. */
  givenUp: GivenUp | undefined;
  readonly #shell: Shell;
  #input: AsyncIterator<Uint8Array> | undefined;

  constructor(shell: Shell) {
    this.#shell = shell;
  }

  async answer(kind: FrameKind, body: Buffer): Promise<[FrameKind, Uint8Array | string]> {
    try {
      return ["answer", await this.#find(kind, body)];
    } catch (error) {
      if (error instanceof FrameFault) throw error;
      if (error instanceof GivenUp) this.givenUp = error;
      return ["refusal", error instanceof GivenUp ? "" : (error as Error).message];
    }
  }

  async #find(kind: FrameKind, body: Buffer): Promise<Uint8Array | string> {
    const { console, output, script } = this.#shell;
    switch (kind) {
      case "askKey":
        return console.askKey(body.toString("utf8"));
      case "askHeredoc":
        return toBytes(await (script ?? console).heredoc(body.toString("latin1")));
      case "askInput": {
        this.#input ??= inPieces(console.input());
        const piece = await this.#shell.interruptible((signal) => unlessCancelled(this.#input!.next(), signal));
        return piece.done === true ? "" : piece.value;
      }
      case "askHostCommand":
        return String(await console.runHostCommand(body.toString("latin1"), output));
      default:
        throw new FrameFault(`${kind} is no question`);
    }
  }
}

/** Who waits for a person to type has to hear Ctrl-C all the same. */
function unlessCancelled<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const cancel = (): void => reject(new Error("guestfish: the input was cancelled"));
    if (signal.aborted) cancel();
    signal.addEventListener("abort", cancel);
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", cancel));
  });
}

async function* inPieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const bytes of source) {
    for (let from = 0; from < bytes.length; from += pieceSize) yield bytes.subarray(from, from + pieceSize);
  }
}

async function next(frames: AsyncIterator<Frame>): Promise<Frame> {
  const result = await frames.next();
  if (result.done === true) throw new FrameFault("the connection ended");
  return result.value;
}

/** Ctrl-C is passed on; the answer to it is the end of the command. */
async function nextUnlessCancelled(
  frames: AsyncIterator<Frame>,
  signal: AbortSignal,
  cancel: () => void,
): Promise<Frame> {
  if (signal.aborted) cancel();
  signal.addEventListener("abort", cancel);
  try {
    return await next(frames);
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}
