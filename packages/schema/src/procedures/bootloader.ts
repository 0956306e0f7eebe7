import type { Procedure } from "../procedure.ts";

/** Calls of the topic `bootloader`. */
export const bootloader: readonly Procedure[] = [
  {
    name: "extlinux",
    proc: 400,
    since: "1.21.27",
    summary: "Install the EXTLINUX boot loader into a mounted directory.",
    params: [{ name: "directory", type: "string", of: "pathname", summary: "guest directory for the loader files" }],
    returns: { type: "none" },
    group: "extlinux",
  },
  {
    name: "grub_install",
    proc: 86,
    since: "1.0.17",
    summary: "Install legacy GRUB (version 1) onto a device.",
    params: [
      { name: "root", type: "string", of: "pathname", summary: "guest directory used as GRUB root" },
      { name: "device", type: "string", of: "device", summary: "device for the boot sector" },
    ],
    returns: { type: "none" },
    group: "grub",
  },
  {
    name: "syslinux",
    proc: 399,
    since: "1.21.27",
    summary: "Install the SYSLINUX boot loader on an unmounted FAT filesystem.",
    params: [{ name: "device", type: "string", of: "device", summary: "block device holding FAT" }],
    optional: [{ name: "directory", type: "string", summary: "directory for the loader files, default the root" }],
    returns: { type: "none" },
    group: "syslinux",
  },
];
