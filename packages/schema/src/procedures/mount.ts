import type { Procedure } from "../procedure.ts";

/** Calls of the topic `mount`. */
export const mount: readonly Procedure[] = [
  {
    name: "list_9p",
    proc: 285,
    since: "1.11.12",
    summary: "List mount tags of all attached 9p filesystems; no longer supported.",
    params: [],
    returns: { type: "string-list" },
    deprecated: true,
  },
  {
    name: "mkmountpoint",
    proc: 148,
    since: "1.0.62",
    summary: "Create a mount point directory even when no root filesystem is mounted.",
    params: [
      { name: "exemptpath", type: "string", of: "plain", summary: "path of the mount point to create" },
    ],
    returns: { type: "none" },
  },
  {
    name: "mount",
    proc: 1,
    since: "0.0.3",
    summary: "Mount a filesystem read-write.",
    params: [
      { name: "mountable", type: "string", of: "mountable", summary: "device or btrfs subvolume to mount" },
      { name: "mountpoint", type: "string", of: "plain", summary: "directory to mount on, / first" },
    ],
    returns: { type: "none" },
  },
  {
    name: "mount_9p",
    proc: 286,
    since: "1.11.12",
    summary: "Mount a 9p filesystem shared by the host; no longer supported.",
    params: [
      { name: "mounttag", type: "string", of: "plain", summary: "tag of the attached 9p filesystem" },
      { name: "mountpoint", type: "string", of: "plain", summary: "directory to mount on" },
    ],
    optional: [
      { name: "options", type: "string", summary: "extra comma-separated mount options" },
    ],
    returns: { type: "none" },
    deprecated: true,
  },
  {
    name: "mount_local",
    since: "1.17.22",
    summary: "Prepare to export the guest filesystem on a host directory through FUSE.",
    params: [
      { name: "localmountpoint", type: "string", of: "plain", summary: "existing empty directory on the host" },
    ],
    optional: [
      { name: "readonly", type: "bool", summary: "true to forbid writes, default false" },
      { name: "options", type: "string", summary: "comma-separated FUSE options" },
      { name: "cachetimeout", type: "int", summary: "metadata cache lifetime in seconds, default 60" },
      { name: "debugcalls", type: "bool", summary: "true to print each FUSE call, default false" },
    ],
    returns: { type: "none" },
  },
  {
    name: "mount_local_run",
    since: "1.17.22",
    summary: "Serve the FUSE mount set up by mount_local until it is unmounted.",
    params: [],
    returns: { type: "none" },
    cancellable: true,
  },
  {
    name: "mount_loop",
    proc: 129,
    since: "1.0.54",
    summary: "Mount a filesystem image file from the guest through a loop device.",
    params: [
      { name: "file", type: "string", of: "pathname", summary: "image file inside the guest" },
      { name: "mountpoint", type: "string", of: "pathname", summary: "directory to mount on" },
    ],
    returns: { type: "none" },
  },
  {
    name: "mount_options",
    proc: 74,
    since: "1.0.10",
    summary: "Mount a filesystem with given mount options.",
    params: [
      { name: "options", type: "string", of: "plain", summary: "comma-separated mount options, may be empty" },
      { name: "mountable", type: "string", of: "mountable", summary: "device or btrfs subvolume to mount" },
      { name: "mountpoint", type: "string", of: "plain", summary: "directory to mount on" },
    ],
    returns: { type: "none" },
  },
  {
    name: "mount_ro",
    proc: 73,
    since: "1.0.10",
    summary: "Mount a filesystem read-only.",
    params: [
      { name: "mountable", type: "string", of: "mountable", summary: "device or btrfs subvolume to mount" },
      { name: "mountpoint", type: "string", of: "plain", summary: "directory to mount on, / first" },
    ],
    returns: { type: "none" },
  },
  {
    name: "mount_vfs",
    proc: 75,
    since: "1.0.10",
    summary: "Mount a filesystem with given options and filesystem type.",
    params: [
      { name: "options", type: "string", of: "plain", summary: "comma-separated mount options, may be empty" },
      { name: "vfstype", type: "string", of: "plain", summary: "filesystem type, such as ext4, may be empty" },
      { name: "mountable", type: "string", of: "mountable", summary: "device or btrfs subvolume to mount" },
      { name: "mountpoint", type: "string", of: "plain", summary: "directory to mount on" },
    ],
    returns: { type: "none" },
  },
  {
    name: "mountable_device",
    since: "1.33.15",
    summary: "Return the device part of a mountable.",
    params: [
      { name: "mountable", type: "string", of: "mountable", summary: "device or btrfs subvolume specification" },
    ],
    returns: { type: "string", of: "device" },
  },
  {
    name: "mountable_subvolume",
    since: "1.33.15",
    summary: "Return the btrfs subvolume part of a mountable; fail if there is none.",
    params: [
      { name: "mountable", type: "string", of: "mountable", summary: "btrfs subvolume specification" },
    ],
    returns: { type: "string" },
  },
  {
    name: "mountpoints",
    proc: 147,
    since: "1.0.62",
    summary: "Map each mounted device to its mount point.",
    params: [],
    returns: { type: "hashtable", keys: "mountable" },
  },
  {
    name: "mounts",
    proc: 46,
    since: "0.0.8",
    summary: "List the devices of all mounted filesystems.",
    params: [],
    returns: { type: "string-list", of: "mountable" },
  },
  {
    name: "remount",
    proc: 402,
    since: "1.23.2",
    summary: "Switch a mounted filesystem between read-only and read-write.",
    params: [
      { name: "mountpoint", type: "string", of: "pathname", summary: "where the filesystem is mounted" },
    ],
    optional: [
      { name: "rw", type: "bool", summary: "true for read-write, false for read-only" },
    ],
    returns: { type: "none" },
  },
  {
    name: "rmmountpoint",
    proc: 149,
    since: "1.0.62",
    summary: "Delete a mount point made with mkmountpoint.",
    params: [
      { name: "exemptpath", type: "string", of: "plain", summary: "mount point to delete, already unmounted" },
    ],
    returns: { type: "none" },
  },
  {
    name: "umount",
    proc: 45,
    since: "0.0.8",
    summary: "Unmount one filesystem.",
    params: [
      { name: "pathordevice", type: "string", of: "device-or-path", summary: "mount point or mounted device" },
    ],
    optional: [
      { name: "force", type: "bool", summary: "true to force unmounting, default false" },
      { name: "lazyunmount", type: "bool", summary: "true to detach now, finish when no longer busy" },
    ],
    returns: { type: "none" },
    onceHadNoOptionals: true,
    aliases: ["umount_opts"],
    shell: { aliases: ["unmount"] },
  },
  {
    name: "umount_all",
    proc: 47,
    since: "0.0.8",
    summary: "Unmount all mounted filesystems.",
    params: [],
    returns: { type: "none" },
    shell: { aliases: ["unmount-all"] },
  },
  {
    name: "umount_local",
    since: "1.17.22",
    summary: "Unmount the FUSE mount made with mount_local.",
    params: [],
    optional: [
      { name: "retry", type: "bool", summary: "true to retry a few times while busy" },
    ],
    returns: { type: "none" },
  },
];
