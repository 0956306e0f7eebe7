import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeviceFinder } from "./device-finder.ts";
import { mountsOf, parseFstab } from "./fstab.ts";

/** A machine with two drives, of three partitions each; the tags are the devices' own names. */
const finder = {
  by: (tag: string, value: string) => (value.startsWith("none") ? undefined : `/dev/${tag}-${value}`),
  drive: (index: number, partition?: number) =>
    index < 2 && (partition ?? 0) <= 3 ? `/dev/disk${index}.${partition ?? 0}` : undefined,
  mapped: (name: string) => (name === "vg-root" ? "/dev/vg/root" : undefined),
} as unknown as DeviceFinder;

const mounts = (text: string): unknown[][] =>
  mountsOf(text.split("\n"), finder, "/dev/root-device").map(({ mountable, mountpoint }) => [mountable, mountpoint]);

test("the guest's names for devices become those of this side", () => {
  assert.deepEqual(
    mounts(`# a comment
/dev/mapper/vg-root /             ext4 defaults 0 1
UUID=abc            /boot         ext4 defaults
LABEL="data"        /data/        xfs  defaults
/dev/vdb3           /old          ext3 ro
/dev/nvme1n1p2      /nvme         ext4 defaults
PARTUUID=1-2        /part         ext4 defaults
/dev/disk/by-uuid/u /by           ext4 defaults
/dev/root           /again        ext4 defaults
/dev/ada0p2         /bsd          ufs  rw
/dev/hdb1           none          swap sw`),
    [
      ["/dev/vg/root", "/"],
      ["/dev/UUID-abc", "/boot"],
      ["/dev/LABEL-data", "/data"],
      ["/dev/disk1.3", "/old"],
      ["/dev/disk1.2", "/nvme"],
      ["/dev/PART_ENTRY_UUID-1-2", "/part"],
      ["/dev/UUID-u", "/by"],
      ["/dev/root-device", "/again"],
      ["/dev/disk0.2", "/bsd"],
      ["/dev/disk1.1", "swap"],
    ],
  );
});

test("spaces are escaped, subvolumes belong to the mountable", () => {
  assert.deepEqual(mounts("LABEL=the\\040data /my\\040files ext4 defaults"), [["/dev/LABEL-the data", "/my files"]]);
  assert.deepEqual(mounts("UUID=b / btrfs noatime,subvol=/@,ro 0 0\nUUID=b /home btrfs subvol=home"), [
    ["btrfsvol:/dev/UUID-b/@", "/"],
    ["btrfsvol:/dev/UUID-b/home", "/home"],
  ]);
});

test("what is no filesystem of a disk is left out", () => {
  assert.deepEqual(
    mounts(
      "proc /proc proc\ntmpfs /tmp tmpfs\n/dev/sr0 /media/cd iso9660\n/dev/fd0 /floppy auto\nUUID=none / ext4\n/dev/sdz1 /z ext4",
    ),
    [],
  );
  assert.equal(parseFstab(Array.from({ length: 5000 }, () => "/dev/sda1 / ext4")).length, 1000);
});
