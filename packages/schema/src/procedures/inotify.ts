import type { Procedure } from "../procedure.ts";

/** Calls of the topic `inotify`. */
export const inotify: readonly Procedure[] = [
  {
    name: "inotify_add_watch",
    proc: 180,
    since: "1.0.66",
    summary: "Start watching a path for events and return the watch descriptor.",
    params: [
      { name: "path", type: "string", of: "pathname", summary: "file or directory to watch" },
      { name: "mask", type: "int", summary: "bitmask of IN_* events" },
    ],
    returns: { type: "int64" },
    group: "inotify",
  },
  {
    name: "inotify_close",
    proc: 184,
    since: "1.0.66",
    summary: "Close the inotify handle, dropping all watches and pending events.",
    params: [],
    returns: { type: "none" },
    group: "inotify",
  },
  {
    name: "inotify_files",
    proc: 183,
    since: "1.0.66",
    summary: "Return the unique sorted names of files with pending events.",
    params: [],
    returns: { type: "string-list" },
    group: "inotify",
  },
  {
    name: "inotify_init",
    proc: 179,
    since: "1.0.66",
    summary: "Create the inotify handle, replacing any earlier one.",
    params: [{ name: "maxevents", type: "int", summary: "limit of queued events, 0 keeps the default" }],
    returns: { type: "none" },
    group: "inotify",
  },
  {
    name: "inotify_read",
    proc: 182,
    since: "1.0.66",
    summary: "Return the inotify events queued so far, without waiting.",
    params: [],
    returns: { type: "struct-list", struct: "inotify_event" },
    group: "inotify",
  },
  {
    name: "inotify_rm_watch",
    proc: 181,
    since: "1.0.66",
    summary: "Stop watching the path of a watch descriptor.",
    params: [{ name: "wd", type: "int", summary: "watch descriptor from inotify_add_watch" }],
    returns: { type: "none" },
    group: "inotify",
  },
];
