import assert from "node:assert/strict";
import { test } from "node:test";
import { procedureByName } from "@guestfs/schema";
import type { Procedure } from "@guestfs/schema";
import { needsVolumes, volumeUse } from "./volume-start.ts";

function needs(name: string, args: Record<string, unknown>): boolean {
  return needsVolumes(volumeUse(procedureByName.get(name) as Procedure), args);
}

test("a mount needs volumes unless it is of a drive or a partition, and no option names a device", () => {
  for (const mountable of ["/dev/sda", "/dev/sda1", "/dev/sdaa12"]) {
    assert.equal(needs("mount", { mountable, mountpoint: "/" }), false, mountable);
    assert.equal(needs("mount_ro", { mountable, mountpoint: "/" }), false, mountable);
    assert.equal(needs("mount_options", { options: "ro,noatime", mountable, mountpoint: "/" }), false, mountable);
    assert.equal(needs("mount_options", { options: "logdev=/dev/VG/log", mountable, mountpoint: "/" }), true);
    // By a type that is said, and not found: a member of an array would do.
    assert.equal(needs("mount_vfs", { options: "", vfstype: "ext4", mountable, mountpoint: "/" }), true);
  }
  for (const mountable of [
    "/dev/VG/LV",
    "/dev/mapper/x",
    "/dev/md0",
    "btrfsvol:/dev/sda1/root",
    "/dev/disk/guestfs/one",
  ])
    assert.equal(needs("mount", { mountable, mountpoint: "/" }), true, mountable);
});

test("a call that takes a device or a path needs them for a device", () => {
  assert.equal(needs("download", { remotefilename: "/etc/hostname" }), false);
  assert.equal(needs("download", { remotefilename: "/dev/sda" }), true);
  assert.equal(needs("download", { remotefilename: "/dev/VG/LV" }), true);
  assert.equal(needs("file", { path: "/device" }), false);
});

test("a program may look for volumes", () => {
  for (const name of ["sh", "sh_lines", "sh_out", "command", "command_lines", "command_out", "debug"])
    assert.equal(needs(name, { command: "vgs" }), true, name);
  assert.equal(needs("debug_upload", { filename: "x" }), false);
});

test("what is about volumes, devices and what is there needs them, the rest does not", () => {
  for (const name of [
    "lvs",
    "vgs",
    "pvs",
    "list_filesystems",
    "list_md_devices",
    "inspect_os",
    "lvcreate",
    "swapon_uuid",
  ])
    assert.equal(needs(name, {}), true, name);
  assert.equal(needs("vfs_type", { mountable: "/dev/sda1" }), true);
  for (const name of ["ping_daemon", "cat", "mkdir", "umount_all", "mountpoints"])
    if (procedureByName.has(name)) assert.equal(needs(name, { path: "/x" }), false, name);
});
