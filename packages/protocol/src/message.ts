import { errnoNameMax, errorMessageMax, messageMax } from "./constants.ts";
import { ProtocolError } from "./errors.ts";
import { headerSize, writeHeader } from "./header.ts";
import type { Header } from "./header.ts";
import { encodeText } from "./text.ts";
import type { Reader } from "./xdr/reader.ts";
import { Writer } from "./xdr/writer.ts";

/** The body of an error reply. */
export interface ErrorBody {
  /** symbolic name such as `ENOENT`, empty when there is none */
  readonly errno: string;
  readonly message: string;
}

/**
 * A whole message: length word, header, body.
 * @param writer - whose memory is used, when the message is sent before the next one is made
 * @throws ProtocolError when it is larger than 4 MiB
 */
export function encodeMessage(
  header: Header,
  writeBody: (writer: Writer) => void,
  writer: Writer = new Writer(),
): Uint8Array {
  writer.clear();
  writer.uint32(0);
  writeHeader(writer, header);
  writeBody(writer);
  const length = writer.length - 4;
  if (length > messageMax)
    throw new ProtocolError(`a message of ${length} bytes, over the protocol's limit of ${messageMax}`);
  writer.patchUint32(0, length);
  return writer.bytes();
}

/** An error reply; the message is cut at 65536 bytes. */
export function encodeErrorReply(header: Pick<Header, "procedure" | "serial">, error: ErrorBody): Uint8Array {
  const reply: Header = { ...header, direction: "reply", progressHint: 0, optionalMask: 0n, status: "error" };
  return encodeMessage(reply, (writer) => {
    writer.string(error.errno.slice(0, errnoNameMax));
    writer.opaque(encodeText(error.message.replaceAll("\0", "\\0")).subarray(0, errorMessageMax));
  });
}

/** Takes the body of an error reply. */
export function readErrorBody(reader: Reader): ErrorBody {
  return { errno: reader.string(errnoNameMax), message: reader.string(errorMessageMax) };
}

/** Bytes of arguments that still fit into one message. */
export const bodyMax: number = messageMax - headerSize;
