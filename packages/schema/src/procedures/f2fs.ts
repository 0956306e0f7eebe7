import type { Procedure } from "../procedure.ts";

/** Calls of the topic `f2fs`. */
export const f2fs: readonly Procedure[] = [
  {
    name: "f2fs_expand",
    proc: 505,
    since: "1.39.3",
    summary: "Grow an F2FS filesystem to fill its device.",
    params: [{ name: "device", type: "string", of: "device", summary: "device holding the F2FS filesystem" }],
    returns: { type: "none" },
    group: "f2fs",
  },
];
