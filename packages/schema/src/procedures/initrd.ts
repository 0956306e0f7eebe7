import type { Procedure } from "../procedure.ts";

/** Calls of the topic `initrd`. */
export const initrd: readonly Procedure[] = [
  {
    name: "initrd_cat",
    proc: 221,
    since: "1.0.84",
    summary: "Extract one file's contents from an initrd image.",
    params: [
      { name: "initrdpath", type: "string", of: "pathname", summary: "guest path of the initrd" },
      { name: "filename", type: "string", of: "plain", summary: 'file name inside the initrd, no leading "/"' },
    ],
    returns: { type: "buffer" },
    oneMessage: true,
  },
  {
    name: "initrd_list",
    proc: 128,
    since: "1.0.54",
    summary: "Enumerate all file names packed in an initrd image.",
    params: [{ name: "path", type: "string", of: "pathname", summary: "guest path of the initrd" }],
    returns: { type: "string-list" },
  },
];
