import { progressFlag } from "./constants.ts";
import { Reader } from "./xdr/reader.ts";
import { Writer } from "./xdr/writer.ts";

/** Bytes of a progress message behind its flag. */
export const progressSize = 24;

/** How far a call has come. */
export interface Progress {
  /** procedure number of the call */
  readonly procedure: number;
  readonly serial: number;
  /** 0 to total */
  readonly position: number;
  readonly total: number;
}

/** A progress message with its flag, ready to send. */
export function encodeProgress(progress: Progress): Uint8Array {
  const writer = new Writer(4 + progressSize);
  writer.uint32(progressFlag);
  writer.int32(progress.procedure);
  writer.uint32(progress.serial);
  writer.uint64(progress.position);
  writer.uint64(progress.total);
  return writer.bytes();
}

/** The progress message behind a flag. */
export function decodeProgress(bytes: Uint8Array): Progress {
  const reader = new Reader(bytes);
  return { procedure: reader.int32(), serial: reader.uint32(), position: reader.uint64(), total: reader.uint64() };
}
