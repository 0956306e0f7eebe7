import type { Procedure } from "../procedure.ts";

/** Calls of the topic `ntfs`. */
export const ntfs: readonly Procedure[] = [
  {
    name: "ntfs_3g_probe",
    proc: 110,
    since: "1.0.43",
    summary: "Test whether an NTFS volume can be mounted; return 0 or an ntfs-3g code.",
    params: [
      { name: "rw", type: "bool", summary: "true to test mounting for writing" },
      { name: "device", type: "string", of: "device", summary: "block device holding NTFS" },
    ],
    returns: { type: "int" },
    group: "ntfs3g",
  },
  {
    name: "ntfs_chmod",
    proc: 520,
    since: "1.55.13",
    summary: "Change permissions of a file or directory on an unmounted NTFS volume.",
    params: [
      { name: "device", type: "string", of: "device", summary: "block device holding NTFS" },
      { name: "mode", type: "int", summary: "permission bits, such as 0644 octal" },
      { name: "path", type: "string", of: "plain", summary: "path within the NTFS volume" },
    ],
    optional: [
      { name: "recursive", type: "bool", summary: "true to include everything below, default false" },
    ],
    returns: { type: "none" },
    group: "ntfs3g",
  },
  {
    name: "ntfsclone_in",
    proc: 309,
    since: "1.17.9",
    summary: "Restore an NTFS volume from an ntfsclone backup file.",
    params: [
      { name: "backupfile", type: "string", of: "file-in", summary: "ntfsclone backup file on the host" },
      { name: "device", type: "string", of: "device", summary: "block device to overwrite" },
    ],
    returns: { type: "none" },
    group: "ntfs3g",
    cancellable: true,
  },
  {
    name: "ntfsclone_out",
    proc: 308,
    since: "1.17.9",
    summary: "Save an NTFS volume to a host file in ntfsclone format.",
    params: [
      { name: "device", type: "string", of: "device", summary: "block device holding NTFS" },
      { name: "backupfile", type: "string", of: "file-out", summary: "host file to write" },
    ],
    optional: [
      { name: "metadataonly", type: "bool", summary: "true to save metadata without file contents" },
      { name: "rescue", type: "bool", summary: "true to continue past bad sectors" },
      { name: "ignorefscheck", type: "bool", summary: "true to ignore filesystem check failures" },
      { name: "preservetimestamps", type: "bool", summary: "true to keep timestamps (with metadataonly)" },
      { name: "force", type: "bool", summary: "true to save even if marked dirty" },
    ],
    returns: { type: "none" },
    group: "ntfs3g",
    cancellable: true,
  },
  {
    name: "ntfsfix",
    proc: 307,
    since: "1.17.9",
    summary: "Repair common NTFS faults and schedule a check for the next Windows boot.",
    params: [
      { name: "device", type: "string", of: "device", summary: "block device holding NTFS" },
    ],
    optional: [
      { name: "clearbadsectors", type: "bool", summary: "true to empty the list of bad sectors" },
    ],
    returns: { type: "none" },
    group: "ntfs3g",
  },
  {
    name: "ntfsresize",
    proc: 288,
    since: "1.3.2",
    summary: "Grow or shrink an NTFS filesystem.",
    params: [
      { name: "device", type: "string", of: "device", summary: "block device holding NTFS" },
    ],
    optional: [
      { name: "size", type: "int64", summary: "new size in bytes, default size of device" },
      { name: "force", type: "bool", summary: "true to resize even if check is scheduled" },
    ],
    returns: { type: "none" },
    group: "ntfsprogs",
    onceHadNoOptionals: true,
    aliases: ["ntfsresize_opts"],
  },
  {
    name: "ntfsresize_size",
    proc: 250,
    since: "1.3.14",
    summary: "Resize an NTFS filesystem to a size in bytes; superseded by ntfsresize.",
    params: [
      { name: "device", type: "string", of: "device", summary: "block device holding NTFS" },
      { name: "size", type: "int64", summary: "new size in bytes" },
    ],
    returns: { type: "none" },
    group: "ntfsprogs",
    deprecated: "ntfsresize",
  },
];
