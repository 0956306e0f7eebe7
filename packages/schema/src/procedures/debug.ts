import type { Procedure } from "../procedure.ts";

/** Calls of the topic `debug`. */
export const debug: readonly Procedure[] = [
  {
    name: "debug",
    proc: 76,
    since: "1.0.11",
    summary: "Run an internal daemon debugging subcommand.",
    params: [
      { name: "subcmd", type: "string", of: "plain", summary: 'debug subcommand name, e.g. "help"' },
      { name: "extraargs", type: "string-list", of: "plain", summary: "list of further arguments" },
    ],
    returns: { type: "string" },
    visibility: "debug",
  },
  {
    name: "debug_drives",
    since: "1.13.22",
    summary: "Show how each added drive would be described, one string each.",
    params: [],
    returns: { type: "string-list" },
    visibility: "debug",
    immediate: true,
  },
  {
    name: "debug_upload",
    proc: 241,
    since: "1.3.5",
    summary: "Upload a local file into the appliance itself, not the guest.",
    params: [
      { name: "filename", type: "string", of: "file-in", summary: "local file to send" },
      { name: "tmpname", type: "string", of: "plain", summary: "path inside the appliance" },
      { name: "mode", type: "int", summary: "permission bits, normally written in octal" },
    ],
    returns: { type: "none" },
    visibility: "debug",
    cancellable: true,
  },
  {
    name: "internal_exit",
    proc: 414,
    since: "1.23.30",
    summary: "Make the daemon exit (internal, for testing).",
    params: [],
    returns: { type: "none" },
    visibility: "debug",
    cancellable: true,
  },
];
