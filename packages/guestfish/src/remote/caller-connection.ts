import type { Socket } from "node:net";
import { FrameFault, readFrames, sendFrame } from "./frame.ts";
import type { FrameKind } from "./frame.ts";
import { Refusal } from "./remote-console.ts";
import type { Caller } from "./remote-console.ts";
import { greeting, parseRequest } from "./request.ts";
import type { RunRequest } from "./request.ts";

/** What is done with the requests of a connection. */
export interface RequestHandler {
  /** Runs a command and sends its result; `cancelled`: the caller wants it stopped, or is gone. */
  run(caller: Caller, request: RunRequest, cancelled: AbortSignal): Promise<void>;
  complete(line: string): Promise<readonly [string[], string]>;
}

/** The listening end of one connection: reads requests, one at a time, and passes answers on. */
export class CallerConnection implements Caller {
  readonly #socket: Socket;
  readonly #handler: RequestHandler;
  #running: AbortController | undefined;
  #question: { resolve(answer: Buffer): void; reject(reason: Refusal): void } | undefined;

  constructor(socket: Socket, handler: RequestHandler) {
    this.#socket = socket;
    this.#handler = handler;
  }

  /** Serves until the other end goes away, or says what it must not; never rejects. */
  async serve(): Promise<void> {
    // Seen by whoever writes, or by the end of the frames.
    this.#socket.on("error", () => undefined);
    try {
      await this.send("hello", greeting());
      const frames = readFrames(this.#socket);
      const first = await frames.next();
      if (first.done === true || first.value.kind !== "hello" || first.value.body.toString("utf8") !== greeting())
        return;
      for await (const { kind, body } of frames) this.#received(kind, body);
    } catch {
      // Nothing can be said to someone who is gone or does not speak the protocol.
    } finally {
      this.#socket.destroy();
      this.#running?.abort();
      this.#question?.reject(new Refusal("the other end of --remote is gone"));
    }
  }

  send(kind: FrameKind, body: Uint8Array | string): Promise<void> {
    return sendFrame(this.#socket, kind, body);
  }

  async ask(kind: FrameKind, body: Uint8Array | string = ""): Promise<Buffer> {
    if (this.#socket.destroyed) throw new Refusal("the other end of --remote is gone");
    const answer = new Promise<Buffer>((resolve, reject) => (this.#question = { resolve, reject }));
    // The end of the connection comes to both.
    answer.catch(() => undefined);
    await this.send(kind, body);
    return answer;
  }

  #received(kind: FrameKind, body: Buffer): void {
    const question = this.#question;
    switch (kind) {
      case "run":
      case "complete":
        if (this.#running !== undefined) throw new FrameFault("one request at a time");
        void this.#request(kind, body).catch(() => this.#socket.destroy());
        return;
      case "cancel":
        this.#running?.abort();
        return;
      case "answer":
      case "refusal":
        if (question === undefined) throw new FrameFault("nothing was asked");
        this.#question = undefined;
        if (kind === "answer") question.resolve(body);
        else question.reject(new Refusal(body.toString("utf8")));
        return;
      default:
        throw new FrameFault(`${kind} is not for a listener`);
    }
  }

  async #request(kind: "run" | "complete", body: Buffer): Promise<void> {
    const running = new AbortController();
    this.#running = running;
    try {
      if (kind === "run") return await this.#handler.run(this, parseRequest(body), running.signal);
      const [offers, typed] = await this.#handler.complete(body.toString("utf8"));
      await this.send("completions", JSON.stringify({ offers, typed }));
    } finally {
      this.#running = undefined;
    }
  }
}
