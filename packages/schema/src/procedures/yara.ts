import type { Procedure } from "../procedure.ts";

/** Calls of the topic `yara`. */
export const yara: readonly Procedure[] = [
  {
    name: "yara_destroy",
    proc: 473,
    since: "1.37.13",
    summary: "Discard the loaded YARA rules.",
    params: [],
    returns: { type: "none" },
    group: "libyara",
  },
  {
    name: "yara_load",
    proc: 472,
    since: "1.37.13",
    summary: "Load YARA rules from a host file, replacing those already loaded.",
    params: [
      {
        name: "filename",
        type: "string",
        of: "file-in",
        summary: "host file with YARA rules, source or, but in a running machine, compiled",
      },
    ],
    returns: { type: "none" },
    group: "libyara",
    progress: true,
    cancellable: true,
  },
  {
    name: "yara_scan",
    since: "1.37.13",
    summary: "Scan one file with the loaded YARA rules and return all matches.",
    params: [{ name: "path", type: "string", of: "pathname", summary: "file to scan" }],
    returns: { type: "struct-list", struct: "yara_detection" },
    group: "libyara",
    progress: true,
    cancellable: true,
  },
];
