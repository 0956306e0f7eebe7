import type { Procedure } from "../procedure.ts";

/** Calls of the topic `md`. */
export const md: readonly Procedure[] = [
  {
    name: "list_md_devices",
    proc: 300,
    since: "1.15.4",
    summary: "List all active Linux software RAID (md) devices.",
    params: [],
    returns: { type: "string-list", of: "device" },
  },
  {
    name: "md_create",
    proc: 299,
    since: "1.15.6",
    summary: "Create a Linux software RAID (md) array from block devices.",
    params: [
      { name: "name", type: "string", of: "plain", summary: "name of the new array" },
      { name: "devices", type: "string-list", of: "device", summary: "block devices, leaving out missing members" },
    ],
    optional: [
      { name: "missingbitmap", type: "int64", summary: "bitmap of missing members, default 0 (none)" },
      { name: "nrdevices", type: "int", summary: "number of active members, default listed plus missing" },
      { name: "spare", type: "int", summary: "number of spare devices, default 0" },
      { name: "chunk", type: "int64", summary: "chunk size in bytes" },
      { name: "level", type: "string", summary: "RAID level, such as 0, raid5, default raid1" },
    ],
    returns: { type: "none" },
    group: "mdadm",
  },
  {
    name: "md_detail",
    proc: 301,
    since: "1.15.6",
    summary: "Return metadata of a Linux software RAID array as key and value pairs.",
    params: [{ name: "md", type: "string", of: "device", summary: "RAID device, such as /dev/md127" }],
    returns: { type: "hashtable" },
    group: "mdadm",
  },
  {
    name: "md_stat",
    proc: 316,
    since: "1.17.21",
    summary: "Return the state of each member device of a Linux software RAID array.",
    params: [{ name: "md", type: "string", of: "device", summary: "RAID device, such as /dev/md127" }],
    returns: { type: "struct-list", struct: "mdstat" },
    group: "mdadm",
  },
  {
    name: "md_stop",
    proc: 302,
    since: "1.15.6",
    summary: "Deactivate a Linux software RAID array, keeping its data.",
    params: [{ name: "md", type: "string", of: "device", summary: "RAID device to stop" }],
    returns: { type: "none" },
    group: "mdadm",
  },
];
