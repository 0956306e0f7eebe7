import type { Procedure } from "../procedure.ts";

/** Our own calls, from number 0x10000 on; a stock peer never sees them (PROTOCOL.md, Extensions). */
export const extension: readonly Procedure[] = [
  {
    name: "extension_set_chunk_size",
    proc: 0x10000,
    since: "1.60.1",
    summary: "Agree on the largest chunk of data that either end sends from now on.",
    params: [{ name: "size", type: "int", summary: "largest chunk in bytes, 8192 to 1048576" }],
    returns: { type: "int" },
    group: "guestfs-extensions",
    visibility: "internal",
    shell: false,
  },
];
