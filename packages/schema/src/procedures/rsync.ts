import type { Procedure } from "../procedure.ts";

/** Calls of the topic `rsync`. */
export const rsync: readonly Procedure[] = [
  {
    name: "rsync",
    proc: 344,
    since: "1.19.29",
    summary: "Synchronize one guest directory or file to another with rsync.",
    params: [
      { name: "src", type: "string", of: "pathname", summary: "source path, trailing slash copies contents only" },
      { name: "dest", type: "string", of: "pathname", summary: "destination path in the guest" },
    ],
    optional: [
      { name: "archive", type: "bool", summary: "true to recurse and keep metadata, default false" },
      { name: "deletedest", type: "bool", summary: "true to delete extra files at destination" },
    ],
    returns: { type: "none" },
    group: "rsync",
  },
  {
    name: "rsync_in",
    proc: 345,
    since: "1.19.29",
    summary: "Synchronize from a remote rsync server or host into the guest.",
    params: [
      { name: "remote", type: "string", of: "plain", summary: "rsync source, such as rsync://user@host/module" },
      { name: "dest", type: "string", of: "pathname", summary: "destination path in the guest" },
    ],
    optional: [
      { name: "archive", type: "bool", summary: "true to recurse and keep metadata, default false" },
      { name: "deletedest", type: "bool", summary: "true to delete extra files at destination" },
    ],
    returns: { type: "none" },
    group: "rsync",
  },
  {
    name: "rsync_out",
    proc: 346,
    since: "1.19.29",
    summary: "Synchronize from the guest to a remote rsync server or host.",
    params: [
      { name: "src", type: "string", of: "pathname", summary: "source path in the guest, wildcards allowed" },
      { name: "remote", type: "string", of: "plain", summary: "rsync destination, such as rsync://user@host/module" },
    ],
    optional: [
      { name: "archive", type: "bool", summary: "true to recurse and keep metadata, default false" },
      { name: "deletedest", type: "bool", summary: "true to delete extra files at destination" },
    ],
    returns: { type: "none" },
    group: "rsync",
  },
];
