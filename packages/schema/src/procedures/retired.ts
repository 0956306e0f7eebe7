import type { Procedure } from "../procedure.ts";

/** Calls that 1.60 no longer has but peers of older versions still send or need. */
export const retired: readonly Procedure[] = [
  {
    name: "retired_readdir",
    proc: 138,
    since: "1.0.55",
    summary: "List a directory's entries in one message, as daemons before 1.50 do.",
    params: [{ name: "dir", type: "string", of: "pathname", summary: "the directory" }],
    returns: { type: "struct-list", struct: "dirent" },
    visibility: "internal",
    oneMessage: true,
    shell: false,
  },
];
