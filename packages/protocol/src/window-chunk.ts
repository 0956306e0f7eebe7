import { ProtocolError } from "./errors.ts";
import { Reader } from "./xdr/reader.ts";

/** A piece of a file that stands in the window, see PROTOCOL.md, "The window". */
export interface WindowPiece {
  /** where it begins in the window, in bytes */
  readonly offset: number;
  /** its length in bytes, 1 or more */
  readonly length: number;
}

const inWindow = 2;
const pieceSize = 8;
const frameSize = 20;

/** The frame of a chunk whose data stand in the window, length word included. */
export function encodeWindowChunk(piece: WindowPiece): Uint8Array {
  const frame = new Uint8Array(frameSize);
  const view = new DataView(frame.buffer);
  view.setUint32(0, frameSize - 4);
  view.setInt32(4, inWindow);
  view.setUint32(8, pieceSize);
  view.setUint32(12, piece.offset);
  view.setUint32(16, piece.length);
  return frame;
}

/**
 * Reads the frame of a chunk whose data stand in the window, length word excluded.
 * @param windowSize - bytes of the window
 * @returns `undefined` when it is another chunk
 * @throws ProtocolError when the piece is empty or not within the window
 */
export function decodeWindowChunk(frame: Uint8Array, windowSize: number): WindowPiece | undefined {
  if (frame.length !== frameSize - 4) return undefined;
  const reader = new Reader(frame);
  if (reader.int32() !== inWindow || reader.uint32() !== pieceSize) return undefined;
  const piece = { offset: reader.uint32(), length: reader.uint32() };
  if (piece.length === 0 || piece.offset + piece.length > windowSize)
    throw new ProtocolError(`${piece.length} bytes from ${piece.offset} on in a window of ${windowSize} bytes`);
  return piece;
}
