import type { Procedure } from "@guestfs/schema";
import type { Arguments, Progress } from "@guestfs/protocol";
import type { Cancellation } from "./cancellation.ts";
import type { ByteSink } from "./transfer/byte-sink.ts";
import type { ByteSource } from "./transfer/byte-source.ts";

/** One call for a connection. */
export interface WireCall {
  readonly row: Procedure;
  /** Wire name that errors name: of the call the user made, which may be another than the row's. */
  readonly procedure: string;
  readonly args: Arguments;
  readonly source?: ByteSource | undefined;
  readonly sink?: ByteSink | undefined;
  readonly cancellation: Cancellation;
  onProgress?: ((progress: Progress) => void) | undefined;
}
