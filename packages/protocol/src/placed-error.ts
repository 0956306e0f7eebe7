import { ProtocolError } from "./errors.ts";

/** An error of the same kind with the place it came from in front of its message. */
export function placedError(place: string, error: unknown): Error {
  const text = `${place}: ${error instanceof Error ? error.message : String(error)}`;
  if (error instanceof ProtocolError) return new ProtocolError(text, { cause: error });
  if (error instanceof RangeError) return new RangeError(text, { cause: error });
  return new TypeError(text, { cause: error });
}
