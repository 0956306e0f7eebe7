import type { Socket } from "node:net";

/** Kinds of frames, with what follows: text is UTF-8, objects are JSON. */
export const frameKinds = {
  /** Both ends, first of all: text, {@link protocolName} and the version. */
  hello: 0,
  /** Client: {@link RunRequest}. One at a time. */
  run: 1,
  /** Client: text, a line to complete. */
  complete: 2,
  /** Client: stop the running command. */
  cancel: 3,
  /** Client: bytes, answer to a question. */
  answer: 4,
  /** Client: text, why there is no answer. */
  refusal: 5,
  /** Listener: bytes for standard output. */
  output: 16,
  /** Listener: text for standard error. */
  error: 17,
  /** Listener: text, what the key is for. The answer is the key. */
  askKey: 18,
  /** Listener: bytes, the marker. The answer is the lines. */
  askHeredoc: 19,
  /** Listener: the next piece of standard input. An empty answer is its end. */
  askInput: 20,
  /** Listener: bytes, a command of the host for the terminal. The answer is its exit status in digits. */
  askHostCommand: 21,
  /** Listener: {@link RunResult}. The request is over. */
  result: 22,
  /** Listener: what a line may become, an object. */
  completions: 23,
} as const;

/** Kind of a frame. */
export type FrameKind = keyof typeof frameKinds;

/** One message between a listening guestfish and its client: four bytes of length, one of kind, the rest. */
export interface Frame {
  readonly kind: FrameKind;
  readonly body: Buffer;
}

/** Longest body of a frame, in bytes: more than a command line can hold. */
export const longestBody: number = 16 << 20;

/** The other end does not follow the protocol. */
export class FrameFault extends Error {
  override readonly name = "FrameFault";
}

const kindOfNumber: ReadonlyMap<number, FrameKind> = new Map(
  Object.entries(frameKinds).map(([kind, number]) => [number, kind as FrameKind]),
);

/** A frame's bytes. */
export function encodeFrame(kind: FrameKind, body: Uint8Array | string = ""): Buffer {
  const bytes = typeof body === "string" ? Buffer.from(body, "utf8") : body;
  if (bytes.length > longestBody) throw new FrameFault(`${kind}: ${bytes.length} bytes are too many`);
  const header = Buffer.alloc(5);
  header.writeUInt32BE(bytes.length, 0);
  header.writeUInt8(frameKinds[kind], 4);
  return Buffer.concat([header, bytes]);
}

/** The frames in a stream of bytes; throws {@link FrameFault} for what is none, before it is all there. */
export async function* readFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Frame, void> {
  let pieces: Uint8Array[] = [];
  let length = 0;
  let wanted = 5;
  for await (const piece of source) {
    pieces.push(piece);
    length += piece.length;
    if (length < wanted) continue;
    let buffer = Buffer.concat(pieces);
    for (;;) {
      wanted = 5;
      if (buffer.length < wanted) break;
      const size = buffer.readUInt32BE(0);
      const kind = kindOfNumber.get(buffer.readUInt8(4));
      if (kind === undefined || size > longestBody) throw new FrameFault("this is no frame");
      wanted += size;
      if (buffer.length < wanted) break;
      yield { kind, body: buffer.subarray(5, wanted) };
      buffer = buffer.subarray(wanted);
    }
    pieces = [buffer];
    length = buffer.length;
  }
  if (length > 0) throw new FrameFault("the last frame is not whole");
}

/** Sends a frame; waits until there is room for the next. Rejects when the other end is gone. */
export function sendFrame(socket: Socket, kind: FrameKind, body?: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(encodeFrame(kind, body), (error) => (error instanceof Error ? reject(error) : resolve()));
  });
}
