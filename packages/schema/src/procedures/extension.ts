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
  {
    name: "extension_daemon_status",
    proc: 0x10001,
    since: "1.60.1",
    summary: "What the daemon says of itself, its policy and its clients, as JSON.",
    params: [],
    returns: { type: "string" },
    group: "guestfs-extensions",
    shell: false,
  },
  {
    name: "extension_restrict",
    proc: 0x10002,
    since: "1.60.1",
    summary: "Have the daemon refuse, for the rest of this conversation, what would change the machine.",
    params: [
      { name: "readonly", type: "bool", summary: "true: refuse changes; false asks for nothing, and lifts nothing" },
    ],
    returns: { type: "none" },
    group: "guestfs-extensions",
    visibility: "internal",
    shell: false,
  },
  {
    name: "extension_freeze",
    proc: 0x10003,
    since: "1.60.1",
    summary: "Freeze filesystems of a running machine for a limited time, so that its disks are consistent.",
    params: [
      { name: "seconds", type: "int", summary: "thaw by itself after so many seconds, 1 to 600" },
      {
        name: "mountpoints",
        type: "string-list",
        of: "plain",
        summary: "where the filesystems are mounted; none: all that are on block devices",
      },
    ],
    returns: { type: "int" },
    group: "guestfs-extensions",
    shell: false,
  },
  {
    name: "extension_thaw",
    proc: 0x10004,
    since: "1.60.1",
    summary: "Thaw the filesystems that were frozen; 0 when the time limit had thawed them before.",
    params: [],
    returns: { type: "int" },
    group: "guestfs-extensions",
    shell: false,
  },
];
