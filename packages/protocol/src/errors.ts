/** Bytes that do not follow the protocol, or a value that does not fit into it. */
export class ProtocolError extends Error {
  override readonly name: string = "ProtocolError";
}
