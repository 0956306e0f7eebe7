// What the programs for volumes print, as Debian 12's versions do.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DaemonError } from "../daemon-error.ts";
import { logicalVolumeName } from "../device-mapper.ts";
import { formatGuid } from "../inspect/windows-drives.ts";
import { parseSubvolume } from "./btrfs-subvolume.ts";
import { parseBalance, parseScrub } from "./btrfs-upkeep.ts";
import { parseMembers, placeMembers } from "./md.ts";

test("members of an array in /proc/mdstat", () => {
  assert.deepEqual(parseMembers("md127 : active raid1 sdc1[1](F) sdb1[0] sdd[2](S)(W)"), [
    { device: "sdc1", index: 1, flags: "F" },
    { device: "sdb1", index: 0, flags: "" },
    { device: "sdd", index: 2, flags: "SW" },
  ]);
  assert.deepEqual(parseMembers("md0 : inactive"), []);
});

test("missing members stand where the bitmap says", () => {
  assert.deepEqual(placeMembers(["a", "b"], 0b101n), ["missing", "a", "missing", "b"]);
  assert.deepEqual(placeMembers(["a"], 0b10n), ["a", "missing"]);
  assert.deepEqual(placeMembers([], 0b11n), ["missing", "missing"]);
  assert.throws(() => placeMembers(["a"], 0b100n), DaemonError);
});

test("a logical volume's names are joined by one dash, their own are doubled", () => {
  assert.equal(logicalVolumeName({ name: "my--vg-lv--1", uuid: "LVM-x" }), "/dev/my-vg/lv-1");
  assert.equal(logicalVolumeName({ name: "VG-LV", uuid: "LVM-x" }), "/dev/VG/LV");
  assert.equal(logicalVolumeName({ name: "luks-1", uuid: "CRYPT-LUKS2-1-luks-1" }), undefined);
});

test("btrfs subvolume show", () => {
  const shown = parseSubvolume(
    "test1\n\tName: \t\t\ttest1\n\tParent UUID: \t\t-\n\tCreation time: \t\t2024-01-02 03:04:05 +0000\n\tSnapshot(s):\n\t\t\t\ta b\n\t\t\t\tc: d:\n\tQuota group:\t\t0/256\n",
  );
  assert.deepEqual(
    { ...shown },
    {
      path: "test1",
      Name: "test1",
      "Parent UUID": "",
      "Creation time": "2024-01-02 03:04:05 +0000",
      "Snapshot(s)": "a b,c: d:",
      "Quota group": "0/256",
    },
  );
});

test("btrfs balance and scrub status", () => {
  assert.deepEqual(
    parseBalance("Balance on '/mnt' is paused\n3 out of about 8 chunks balanced (4 considered),  62% left\n"),
    {
      btrfsbalance_status: "paused",
      btrfsbalance_total: 8,
      btrfsbalance_balanced: 3,
      btrfsbalance_considered: 4,
      btrfsbalance_left: 62,
    },
  );
  assert.equal(parseBalance("No balance found on '/mnt'\n").btrfsbalance_status, "none");
  const scrub = parseScrub("Status:           finished\n\tdata_extents_scrubbed: 7\n\tlast_physical: 1048576\n");
  assert.equal(scrub.btrfsscrub_data_extents_scrubbed, 7);
  assert.equal(scrub.btrfsscrub_last_physical, 1_048_576);
  assert.equal(scrub.btrfsscrub_csum_errors, 0);
});

test("a GUID as Windows stores it", () => {
  const bytes = Buffer.from("a2a0d0ebe5b9334487c068b6b72699c7", "hex");
  assert.equal(formatGuid(bytes), "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7");
});
