import type { Procedure } from "../procedure.ts";

/** Calls of the topic `transfer`. */
export const transfer: readonly Procedure[] = [
  {
    name: "copy_in",
    since: "1.29.24",
    summary: "Copy a local file or directory tree into a guest directory.",
    params: [
      { name: "localpath", type: "string", of: "plain", summary: "local file or directory" },
      { name: "remotedir", type: "string", of: "pathname", summary: "existing guest directory" },
    ],
    returns: { type: "none" },
    visibility: "public-no-shell",
    shell: false,
  },
  {
    name: "copy_out",
    since: "1.29.24",
    summary: "Copy a guest file or directory tree into a local directory.",
    params: [
      { name: "remotepath", type: "string", of: "pathname", summary: "guest file or directory" },
      { name: "localdir", type: "string", of: "plain", summary: "existing local directory" },
    ],
    returns: { type: "none" },
    visibility: "public-no-shell",
    shell: false,
  },
  {
    name: "download",
    proc: 67,
    since: "1.0.2",
    summary: "Copy one guest file or device to a local file.",
    params: [
      { name: "remotefilename", type: "string", of: "device-or-path", summary: "guest file or device" },
      { name: "filename", type: "string", of: "file-out", summary: "local file to write" },
    ],
    returns: { type: "none" },
    progress: true,
    cancellable: true,
  },
  {
    name: "download_offset",
    proc: 274,
    since: "1.5.17",
    summary: "Copy part of a guest file or device to a local file.",
    params: [
      { name: "remotefilename", type: "string", of: "device-or-path", summary: "guest file or device" },
      { name: "filename", type: "string", of: "file-out", summary: "local file to write" },
      { name: "offset", type: "int64", summary: "start offset in bytes, 0 or more" },
      { name: "size", type: "int64", summary: "number of bytes to fetch" },
    ],
    returns: { type: "none" },
    progress: true,
    cancellable: true,
  },
  {
    name: "upload",
    proc: 66,
    since: "1.0.2",
    summary: "Copy a host file into the guest, overwriting the target.",
    params: [
      { name: "filename", type: "string", of: "file-in", summary: "host file to read" },
      { name: "remotefilename", type: "string", of: "device-or-path", summary: "guest file or device to write" },
    ],
    returns: { type: "none" },
    progress: true,
    cancellable: true,
  },
  {
    name: "upload_offset",
    proc: 273,
    since: "1.5.17",
    summary: "Copy a host file into the guest at an offset, keeping other data.",
    params: [
      { name: "filename", type: "string", of: "file-in", summary: "host file to read" },
      { name: "remotefilename", type: "string", of: "device-or-path", summary: "guest file or device to write" },
      { name: "offset", type: "int64", summary: "offset in bytes, 0 or more" },
    ],
    returns: { type: "none" },
    progress: true,
    cancellable: true,
  },
];
