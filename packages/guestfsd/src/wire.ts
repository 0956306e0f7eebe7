import { cancelFlag, encodeFlag, FrameDecoder, launchFlag, ProtocolError } from "@guestfs/protocol";
import type { Frame } from "@guestfs/protocol";
import type { Channel } from "./channel.ts";
import { frameSent } from "./compilation.ts";
import { ConversationEndedError } from "./daemon-error.ts";

const readSize = 256 * 1024;
const greeting = encodeFlag(launchFlag);
/** Frames that are handed over in one go; longer ones go by themselves. */
const together = new Uint8Array(16 * 1024);

/** One client is served at a time, and making this much room anew for each would keep much that is waste. */
const spare = new FrameDecoder();

/** Frames to and from one client. */
export class Wire {
  readonly #channel: Channel;
  readonly #decoder = spare;
  /** How many bytes wait to be handed over; `undefined` where none has to wait. */
  #waiting: number | undefined;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** Drops what an earlier client has left, and greets. */
  greet(): void {
    this.#decoder.skip(this.#decoder.buffered);
    this.send(greeting);
  }

  /**
   * Waits for the next frame.
   * @throws ConversationEndedError at the end of the stream or when no frame can start here
   */
  receive(): Frame {
    for (;;) {
      const frame = this.#next();
      if (frame) return frame;
      this.#fill();
    }
  }

  /** A frame that is here already, `undefined` when one would have to be waited for. Frames taken since the last wait stay valid. */
  receiveBuffered(): Frame | undefined {
    return this.#next();
  }

  /** Whether the client has closed its end. */
  gone(): boolean {
    return this.#channel.gone();
  }

  /** Whether {@link receive} has something to do: the client has said something, or is gone. */
  hears(): boolean {
    return this.#decoder.buffered > 0 || this.#channel.readable() || this.#channel.gone();
  }

  get clientMayBeReplaced(): boolean {
    return this.#channel.clientMayBeReplaced;
  }

  clientRecovers(): void {
    this.#channel.clientRecovers();
  }

  send(bytes: Uint8Array): void {
    frameSent();
    if (this.#waiting === undefined) {
      this.#write(bytes);
      return;
    }
    if (this.#waiting + bytes.length > together.length) this.#release();
    if (bytes.length > together.length) this.#write(bytes);
    else {
      together.set(bytes, this.#waiting);
      this.#waiting += bytes.length;
    }
  }

  /** Hands what is sent meanwhile over in one go, as far as it is little: each time costs a port more than the bytes do. */
  sendTogether(work: () => void): void {
    this.#waiting = 0;
    try {
      work();
    } finally {
      this.#release();
      this.#waiting = undefined;
    }
  }

  /** Tells the client to stop sending its file. */
  sendCancel(): void {
    this.send(encodeFlag(cancelFlag));
  }

  /** Whether the client asks for the file it receives to stop; takes the flag off the stream. */
  takeCancel(): boolean {
    if (this.#decoder.buffered < 4) {
      if (!this.#channel.readable()) return false;
      this.#fill();
    }
    const frame = this.#next();
    if (frame === undefined) return false;
    if (frame.type !== "cancel") throw new ConversationEndedError("a message came while a file was being sent");
    return true;
  }

  /**
   * Sees to it that nobody calls during a call: a client waits for the reply, so this is another one, on a port whose
   * client was replaced in a moment.
   * @throws ConversationEndedError
   */
  refuseCalls(): void {
    while (this.#channel.readable()) {
      this.#fill();
      for (let frame = this.#next(); frame; frame = this.#next())
        if (frame.type !== "cancel") throw new ConversationEndedError("another client calls during a call");
      if (this.#decoder.buffered > 0) return;
    }
  }

  #release(): void {
    const length = this.#waiting ?? 0;
    this.#waiting = 0;
    if (length > 0) this.#write(together.subarray(0, length));
  }

  #write(bytes: Uint8Array): void {
    try {
      this.#channel.write(bytes);
    } catch (error) {
      throw new ConversationEndedError("the client went away while it was written to", { cause: error });
    }
  }

  #fill(): void {
    const target = this.#decoder.reserve(readSize);
    const count = this.#channel.read(target, this.#decoder.buffered > 0);
    if (count === 0) throw new ConversationEndedError("the client went away");
    this.#decoder.commit(count);
  }

  #next(): Frame | undefined {
    try {
      return this.#decoder.next();
    } catch (error) {
      if (error instanceof ProtocolError) throw new ConversationEndedError(error.message, { cause: error });
      throw error;
    }
  }
}
