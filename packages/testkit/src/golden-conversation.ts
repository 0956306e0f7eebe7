import { deflateSync } from "node:zlib";
import { decodeChunk, FrameDecoder, messageMax, readHeader, Reader } from "@guestfs/protocol";
import type { Frame, Header } from "@guestfs/protocol";
import { procedures } from "@guestfs/schema";
import type { Procedure } from "@guestfs/schema";
import type { Passage } from "./recording-proxy.ts";

/** One frame of a captured conversation, as it stands in a fixture. */
export interface GoldenFrame {
  readonly from: "client" | "daemon";
  readonly type:
    | "launch"
    | "call"
    | "reply"
    | "error"
    | "data"
    | "end"
    | "cancel"
    | "cancel-flag"
    | "progress"
    | "window";
  /** Name of the procedure, for calls and replies. */
  readonly procedure?: string;
  /** The whole frame as it passed, length word included: base64, of the bytes or, for long ones, of their zlib form. */
  readonly bytes?: string;
  readonly zlib?: string;
  /** How many times the same frame came in a row, when more than once. */
  readonly repeat?: number;
}

/** A fixture: what was run, with what, and the frames that passed, in the order in which the proxy saw them. */
export interface GoldenConversation {
  readonly about: string;
  /** Name and version of the programs at the two ends. */
  readonly client: string;
  readonly daemon: string;
  /** Commands given to the client. */
  readonly script: readonly string[];
  readonly frames: readonly GoldenFrame[];
}

const packedFrom = 256;

function packed(raw: Buffer): Pick<GoldenFrame, "bytes" | "zlib"> {
  return raw.length < packedFrom ? { bytes: raw.toString("base64") } : { zlib: deflateSync(raw).toString("base64") };
}

type Kind = Pick<GoldenFrame, "type" | "procedure">;

const rows = new Map(
  procedures.flatMap((row): [number, Procedure][] => (row.proc === undefined ? [] : [[row.proc, row]])),
);

/** One direction of a conversation, cut into frames. */
class Side {
  readonly #decoder = new FrameDecoder();
  #pending = Buffer.alloc(0);
  /** Chunks come from here, until one ends them. */
  isSendingFile = false;

  add(bytes: Uint8Array): void {
    this.#decoder.push(bytes);
    this.#pending = Buffer.concat([this.#pending, bytes]);
  }

  /** The next frame, with its bytes as they passed. */
  next(): { frame: Frame; raw: Buffer } | undefined {
    const before = this.#decoder.buffered;
    const frame = this.#decoder.next();
    if (!frame) return undefined;
    const length = before - this.#decoder.buffered;
    const raw = this.#pending.subarray(0, length);
    this.#pending = this.#pending.subarray(length);
    return { frame, raw };
  }
}

function describeChunk(side: Side, bytes: Uint8Array): Kind {
  const { type } = decodeChunk(bytes, messageMax);
  if (type !== "data") side.isSendingFile = false;
  return { type };
}

function describeMessage(from: GoldenFrame["from"], side: Side, bytes: Uint8Array): Kind {
  const header: Header = readHeader(new Reader(bytes));
  const row = rows.get(header.procedure);
  const file = from === "client" ? "file-in" : "file-out";
  side.isSendingFile = header.status === "ok" && (row?.params.some((parameter) => parameter.of === file) ?? false);
  const type = from === "client" ? "call" : header.status === "ok" ? "reply" : "error";
  return { type, procedure: row?.name ?? String(header.procedure) };
}

/**
 * Cuts what passed between a client and a daemon into frames, and tells what each is.
 * @throws ProtocolError when the bytes do not follow the protocol
 */
export function goldenFrames(passages: readonly Passage[]): GoldenFrame[] {
  const sides = { client: new Side(), daemon: new Side() };
  const frames: (GoldenFrame & { repeat?: number })[] = [];
  for (const { from, bytes } of passages) {
    const side = sides[from];
    side.add(bytes);
    for (let next = side.next(); next; next = side.next()) {
      const { frame, raw } = next;
      const kind: Kind =
        frame.type === "message"
          ? side.isSendingFile
            ? describeChunk(side, frame.bytes)
            : describeMessage(from, side, frame.bytes)
          : { type: frame.type === "cancel" ? "cancel-flag" : frame.type };
      const golden = { from, ...kind, ...packed(raw) };
      const last = frames.at(-1);
      if (last?.from === from && last.bytes === golden.bytes && last.zlib === golden.zlib)
        frames[frames.length - 1] = { ...last, repeat: (last.repeat ?? 1) + 1 };
      else frames.push(golden);
    }
  }
  return frames;
}
