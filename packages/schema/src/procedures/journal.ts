import type { Procedure } from "../procedure.ts";

/** Calls of the topic `journal`. */
export const journal: readonly Procedure[] = [
  {
    name: "journal_close",
    proc: 405,
    since: "1.23.11",
    summary: "Close the open systemd journal.",
    params: [],
    returns: { type: "none" },
    group: "journal",
  },
  {
    name: "journal_get",
    since: "1.23.11",
    summary: "Return all fields of the current journal entry.",
    params: [],
    returns: { type: "struct-list", struct: "xattr" },
    group: "journal",
  },
  {
    name: "journal_get_data_threshold",
    proc: 409,
    since: "1.23.11",
    summary: "Report the size limit in bytes applied to journal fields.",
    params: [],
    returns: { type: "int64" },
    group: "journal",
  },
  {
    name: "journal_get_realtime_usec",
    proc: 420,
    since: "1.27.18",
    summary: "Return the current entry's wall-clock time in microseconds since 1970.",
    params: [],
    returns: { type: "int64" },
    group: "journal",
  },
  {
    name: "journal_next",
    proc: 406,
    since: "1.23.11",
    summary: "Step to the next journal entry, returning false at the end.",
    params: [],
    returns: { type: "bool" },
    group: "journal",
  },
  {
    name: "journal_open",
    proc: 404,
    since: "1.23.11",
    summary: "Open the systemd journal files of a guest directory.",
    params: [
      { name: "directory", type: "string", of: "pathname", summary: "guest directory, e.g. \"/var/log/journal\"" },
    ],
    returns: { type: "none" },
    group: "journal",
  },
  {
    name: "journal_set_data_threshold",
    proc: 410,
    since: "1.23.11",
    summary: "Limit the size of journal fields returned.",
    params: [
      { name: "threshold", type: "int64", summary: "limit in bytes, 0 means unlimited" },
    ],
    returns: { type: "none" },
    group: "journal",
  },
  {
    name: "journal_skip",
    proc: 407,
    since: "1.23.11",
    summary: "Move several journal entries and return the number actually skipped.",
    params: [
      { name: "skip", type: "int64", summary: "entries to move; negative goes backwards" },
    ],
    returns: { type: "int64" },
    group: "journal",
  },
];
