import { ProtocolError } from "./errors.ts";
import { Reader } from "./xdr/reader.ts";

/** A piece of a file on its way: data, or its end, or word that no more will come. */
export type Chunk =
  | { readonly type: "data"; readonly data: Uint8Array }
  | { readonly type: "end" }
  | { readonly type: "cancel" };

/** Bytes in front of the data of a chunk's frame: length word, cancel word, length of the data. */
export const chunkPrefixSize = 12;

// A view of it would have to be made for each chunk.
function writeWord(target: Uint8Array, at: number, word: number): void {
  target[at] = word >>> 24;
  target[at + 1] = word >>> 16;
  target[at + 2] = word >>> 8;
  target[at + 3] = word;
}

/**
 * Writes the 12 bytes that stand in front of `length` bytes of data (a multiple of 4 needs no padding behind it).
 * @returns the bytes of padding that have to follow the data, 0 to 3
 */
export function writeChunkPrefix(target: Uint8Array, at: number, length: number): number {
  const padding = (4 - (length % 4)) % 4;
  writeWord(target, at, 8 + length + padding);
  writeWord(target, at + 4, 0);
  writeWord(target, at + 8, length);
  return padding;
}

/** A chunk's frame, length word included. */
export function encodeChunk(chunk: Chunk): Uint8Array {
  const data = chunk.type === "data" ? chunk.data : new Uint8Array(0);
  const frame = new Uint8Array(chunkPrefixSize + data.length + ((4 - (data.length % 4)) % 4));
  writeChunkPrefix(frame, 0, data.length);
  if (chunk.type === "cancel") frame[7] = 1;
  frame.set(data, chunkPrefixSize);
  return frame;
}

/**
 * Reads a chunk's frame, length word excluded. The data is a view of the frame.
 * @param max - largest data to accept, in bytes
 * @throws ProtocolError when the frame is no chunk or holds more data than `max`
 */
export function decodeChunk(frame: Uint8Array, max: number): Chunk {
  const reader = new Reader(frame);
  const cancel = reader.int32();
  const data = reader.opaque();
  if (data.length > max) throw new ProtocolError(`a chunk of ${data.length} bytes where at most ${max} may stand`);
  if (cancel !== 0) return { type: "cancel" };
  return data.length === 0 ? { type: "end" } : { type: "data", data };
}
