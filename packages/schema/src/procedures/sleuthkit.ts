import type { Procedure } from "../procedure.ts";

/** Calls of the topic `sleuthkit`. */
export const sleuthkit: readonly Procedure[] = [
  {
    name: "download_blocks",
    proc: 468,
    since: "1.33.45",
    summary: "Save a range of filesystem data units to a local file.",
    params: [
      { name: "device", type: "string", of: "mountable", summary: "device holding the filesystem" },
      { name: "start", type: "int64", summary: "first data unit number" },
      { name: "stop", type: "int64", summary: "last data unit number" },
      { name: "filename", type: "string", of: "file-out", summary: "local file to write" },
    ],
    optional: [{ name: "unallocated", type: "bool", summary: "true fetches only unallocated units (default false)" }],
    returns: { type: "none" },
    group: "sleuthkit",
    progress: true,
    cancellable: true,
  },
  {
    name: "download_inode",
    proc: 464,
    since: "1.33.14",
    summary: "Save the contents behind an inode number, even if deleted, to a local file.",
    params: [
      { name: "device", type: "string", of: "mountable", summary: "device holding the filesystem" },
      { name: "inode", type: "int64", summary: "inode number, 0 or more" },
      { name: "filename", type: "string", of: "file-out", summary: "local file to write" },
    ],
    returns: { type: "none" },
    group: "sleuthkit",
    progress: true,
    cancellable: true,
  },
  {
    name: "filesystem_walk",
    since: "1.33.39",
    summary: "List every entry of an unmounted filesystem, deleted ones included.",
    params: [{ name: "device", type: "string", of: "mountable", summary: "device holding the filesystem" }],
    returns: { type: "struct-list", struct: "tsk_dirent" },
    group: "libtsk",
    progress: true,
    cancellable: true,
  },
  {
    name: "find_inode",
    since: "1.35.6",
    summary: "List all directory entries referring to an inode number.",
    params: [
      { name: "device", type: "string", of: "mountable", summary: "device holding the filesystem" },
      { name: "inode", type: "int64", summary: "inode number, 0 or more" },
    ],
    returns: { type: "struct-list", struct: "tsk_dirent" },
    group: "libtsk",
    progress: true,
    cancellable: true,
  },
  {
    name: "ntfscat_i",
    proc: 463,
    since: "1.33.14",
    summary: "Copy the data of a file in NTFS, found by inode, to the host.",
    params: [
      { name: "device", type: "string", of: "mountable", summary: "block device holding NTFS" },
      { name: "inode", type: "int64", summary: "MFT record number, 0 or more" },
      { name: "filename", type: "string", of: "file-out", summary: "host file to write" },
    ],
    returns: { type: "none" },
    progress: true,
    cancellable: true,
  },
];
