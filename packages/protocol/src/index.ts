/**
 * The wire protocol of libguestfs: bytes to messages and back. Pure: no sockets, nothing of Node.
 * PROTOCOL.md in this folder draws the frames.
 * @packageDocumentation
 */
export * from "./constants.ts";
export { chunkPrefixSize, decodeChunk, encodeChunk, writeChunkPrefix } from "./chunk.ts";
export type { Chunk } from "./chunk.ts";
export { codecOf } from "./codec.ts";
export type { Arguments, ProcedureCodec } from "./codec.ts";
export { ProtocolError } from "./errors.ts";
export { encodeFlag, FrameDecoder } from "./frame.ts";
export type { Frame } from "./frame.ts";
export { headerSize, readHeader, writeHeader } from "./header.ts";
export type { Header } from "./header.ts";
export { bodyMax, encodeErrorReply, encodeMessage, readErrorBody } from "./message.ts";
export type { ErrorBody } from "./message.ts";
export { decodeProgress, encodeProgress, progressSize } from "./progress.ts";
export type { Progress } from "./progress.ts";
export { decodeText, encodeText } from "./text.ts";
export { decodeWindowChunk, encodeWindowChunk } from "./window-chunk.ts";
export type { WindowPiece } from "./window-chunk.ts";
export { readStruct, writeStruct } from "./struct-codec.ts";
export { Reader } from "./xdr/reader.ts";
export { Writer } from "./xdr/writer.ts";
