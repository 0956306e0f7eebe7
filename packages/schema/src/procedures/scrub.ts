import type { Procedure } from "../procedure.ts";

/** Calls of the topic `scrub`. */
export const scrub: readonly Procedure[] = [
  {
    name: "scrub_file",
    proc: 115,
    since: "1.0.52",
    summary: "Overwrite a file with patterns, then delete it.",
    params: [{ name: "file", type: "string", of: "pathname", summary: "file to erase" }],
    returns: { type: "none" },
    group: "scrub",
  },
  {
    name: "scrub_freespace",
    proc: 116,
    since: "1.0.52",
    summary: "Overwrite the free space of a filesystem by filling a new directory.",
    params: [{ name: "dir", type: "string", of: "pathname", summary: "new directory to create on the filesystem" }],
    returns: { type: "none" },
    group: "scrub",
  },
];
