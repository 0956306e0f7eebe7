import { programNumber, protocolVersion } from "./constants.ts";
import { ProtocolError } from "./errors.ts";
import type { Reader } from "./xdr/reader.ts";
import type { Writer } from "./xdr/writer.ts";

/** Bytes of a header. */
export const headerSize = 40;

/** The start of every message. */
export interface Header {
  /** procedure number */
  readonly procedure: number;
  readonly direction: "call" | "reply";
  readonly serial: number;
  /** bytes that a file upload will carry, 0 when unknown */
  readonly progressHint: number;
  /** bit i: the i-th optional argument is set */
  readonly optionalMask: bigint;
  readonly status: "ok" | "error";
}

/** Appends a header. */
export function writeHeader(writer: Writer, header: Header): void {
  writer.uint32(programNumber);
  writer.uint32(protocolVersion);
  writer.int32(header.procedure);
  writer.int32(header.direction === "call" ? 0 : 1);
  writer.uint32(header.serial);
  writer.uint64(header.progressHint);
  writer.uint64(header.optionalMask === 0n ? 0 : header.optionalMask);
  writer.int32(header.status === "ok" ? 0 : 1);
}

/**
 * Takes a header.
 * @throws ProtocolError naming the field when program, version, direction or status are not of this protocol
 */
export function readHeader(reader: Reader): Header {
  const program = reader.uint32();
  if (program !== programNumber)
    throw new ProtocolError(`unknown program (0x${program.toString(16)}, not 0x${programNumber.toString(16)})`);
  const version = reader.uint32();
  if (version !== protocolVersion)
    throw new ProtocolError(`wrong protocol version (${version}, not ${protocolVersion})`);
  const procedure = reader.int32();
  const direction = reader.int32();
  if (direction !== 0 && direction !== 1) throw new ProtocolError(`unexpected message direction (${direction})`);
  const serial = reader.uint32();
  const hint = reader.uint32() * 0x100000000 + reader.uint32();
  const maskHigh = reader.uint32();
  const maskLow = reader.uint32();
  const status = reader.int32();
  if (status !== 0 && status !== 1) throw new ProtocolError(`unexpected message status (${status})`);
  return {
    procedure,
    direction: direction === 0 ? "call" : "reply",
    serial,
    progressHint: Number.isSafeInteger(hint) ? hint : 0,
    optionalMask: maskHigh === 0 ? (maskLow === 0 ? 0n : BigInt(maskLow)) : (BigInt(maskHigh) << 32n) | BigInt(maskLow),
    status: status === 0 ? "ok" : "error",
  };
}
