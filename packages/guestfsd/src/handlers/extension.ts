import { chunkMax, extendedChunkMax } from "@guestfs/protocol";
import type { HandlersOf } from "../context.ts";

/** Our own calls. */
export const extension: HandlersOf<"extension"> = {
  extension_set_chunk_size({ size }, context) {
    const agreed = Math.min(Math.max(size - (size % 4), chunkMax), extendedChunkMax);
    context.state.chunkSize = agreed;
    return agreed;
  },
};
