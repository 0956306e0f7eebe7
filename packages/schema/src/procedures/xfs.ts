import type { Procedure } from "../procedure.ts";

/** Calls of the topic `xfs`. */
export const xfs: readonly Procedure[] = [
  {
    name: "xfs_admin",
    proc: 349,
    since: "1.19.33",
    summary: "Change parameters of an unmounted XFS filesystem.",
    params: [
      { name: "device", type: "string", of: "device", summary: "block device holding XFS" },
    ],
    optional: [
      { name: "extunwritten", type: "bool", summary: "true to enable unwritten extent tracking" },
      { name: "imgfile", type: "bool", summary: "true if the target is an image file" },
      { name: "v2log", type: "bool", summary: "true to use version 2 log format" },
      { name: "projid32bit", type: "bool", summary: "true to use 32-bit project IDs" },
      { name: "lazycounter", type: "bool", summary: "true or false to set lazy counters" },
      { name: "label", type: "string", summary: "new label, up to 12 bytes, \"--\" clears" },
      { name: "uuid", type: "string", summary: "new UUID, or nil, generate or restore" },
    ],
    returns: { type: "none" },
    group: "xfs",
  },
  {
    name: "xfs_growfs",
    proc: 343,
    since: "1.19.28",
    summary: "Grow a mounted XFS filesystem.",
    params: [
      { name: "path", type: "string", of: "pathname", summary: "mount point of the XFS filesystem" },
    ],
    optional: [
      { name: "datasec", type: "bool", summary: "true to grow the data section" },
      { name: "logsec", type: "bool", summary: "true to grow the log section" },
      { name: "rtsec", type: "bool", summary: "true to grow the realtime section" },
      { name: "datasize", type: "int64", summary: "new data section size in filesystem blocks" },
      { name: "logsize", type: "int64", summary: "new log section size in filesystem blocks" },
      { name: "rtsize", type: "int64", summary: "new realtime section size in filesystem blocks" },
      { name: "rtextsize", type: "int64", summary: "realtime extent size in filesystem blocks" },
      { name: "maxpct", type: "int", summary: "largest percentage of space used by inodes" },
    ],
    returns: { type: "none" },
    group: "xfs",
  },
  {
    name: "xfs_info",
    proc: 337,
    since: "1.19.21",
    summary: "Return the geometry of an XFS filesystem; superseded by xfs_info2.",
    params: [
      { name: "pathordevice", type: "string", of: "device-or-path", summary: "mount point or device holding XFS" },
    ],
    returns: { type: "struct", struct: "xfsinfo" },
    group: "xfs",
    deprecated: "xfs_info2",
  },
  {
    name: "xfs_info2",
    proc: 522,
    since: "1.59.2",
    summary: "Return the geometry of an XFS filesystem as key and value pairs.",
    params: [
      { name: "pathordevice", type: "string", of: "device-or-path", summary: "mount point or device holding XFS" },
    ],
    returns: { type: "hashtable" },
    group: "xfs",
  },
  {
    name: "xfs_repair",
    proc: 366,
    since: "1.19.36",
    summary: "Check or repair an unmounted XFS filesystem; return the exit status.",
    params: [
      { name: "device", type: "string", of: "device-or-path", summary: "block device holding XFS" },
    ],
    optional: [
      { name: "forcelogzero", type: "bool", summary: "true to zero a dirty log, losing changes" },
      { name: "nomodify", type: "bool", summary: "true to check only, return 1 if damaged" },
      { name: "noprefetch", type: "bool", summary: "true to turn off block prefetching" },
      { name: "forcegeometry", type: "bool", summary: "true to trust unverified geometry (single-group filesystems)" },
      { name: "maxmem", type: "int64", summary: "approximate memory limit in megabytes" },
      { name: "ihashsize", type: "int64", summary: "size of the inode cache hash, in buckets" },
      { name: "bhashsize", type: "int64", summary: "size of the buffer cache hash, in buckets" },
      { name: "agstride", type: "int64", summary: "allocation groups per thread, for parallel work" },
      { name: "logdev", type: "string", summary: "device holding the external log" },
      { name: "rtdev", type: "string", summary: "device holding the realtime section" },
    ],
    returns: { type: "int" },
    group: "xfs",
  },
];
