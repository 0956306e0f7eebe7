// Partitions, filesystems and mounts, in the appliance: one handle for all.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Guestfs, RemoteError } from "guestfs";

const bundle = fileURLToPath(new URL("../../packages/guestfsd/dist/bundle/guestfsd.cjs", import.meta.url));
const skip = existsSync(bundle) ? false : "the daemon is not bundled: npm run build";
const MiB = 1024 * 1024;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const fails = (errno: string) => (error: unknown) => {
  assert.ok(error instanceof RemoteError, String(error));
  assert.equal(error.errno, errno, error.message);
  return true;
};

describe("storage", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "guestfs-storage-test-"));
  const g = new Guestfs();

  before(async () => {
    for (const name of ["a.img", "b.img"]) {
      writeFileSync(join(folder, name), "");
      truncateSync(join(folder, name), 400 * MiB);
    }
    await g.addDrive(join(folder, "a.img"), { format: "raw" });
    await g.addDrive(join(folder, "b.img"), { format: "raw", label: "second" });
    await g.launch();
  });
  after(async () => {
    await g.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await g.umountAll();
    await g.partInit("/dev/sda", "gpt");
  });

  test("a partition's node is there when the call returns, and gone when it is deleted", async () => {
    for (let round = 0; round < 10; round++) {
      await g.partAdd("/dev/sda", "p", 2048, 4095);
      assert.equal(await g.blockdevGetsize64("/dev/sda1"), MiB);
      await g.partAdd("/dev/sda", "p", 4096, -2048);
      assert.deepEqual(
        (await g.listPartitions()).filter((name) => name.startsWith("/dev/sda")),
        ["/dev/sda1", "/dev/sda2"],
      );
      await g.partDel("/dev/sda", 1);
      await assert.rejects(g.blockdevGetsize64("/dev/sda1"), fails("ENOENT"));
      await g.partDel("/dev/sda", 2);
    }
  });

  test("a program of the guest needs a guest", async () => {
    const first = /you must call 'mount' first/;
    await assert.rejects(g.command(["/bin/true"]), first);
    await assert.rejects(g.commandLines(["/bin/true"]), first);
    await assert.rejects(g.commandOut(["/bin/true"], "/dev/null"), first);
    await assert.rejects(g.sh("true"), first);
    await assert.rejects(g.shLines("true"), first);
    await assert.rejects(g.shOut("true", "/dev/null"), first);
  });

  test("the table changes around a partition that is in use", async () => {
    await g.partAdd("/dev/sda", "p", 2048, 204799);
    await g.mkfs("ext2", "/dev/sda1");
    await g.mount("/dev/sda1", "/");
    await g.partAdd("/dev/sda", "p", 204800, 206847);
    assert.equal(await g.blockdevGetsize64("/dev/sda2"), MiB);
    await g.partSetName("/dev/sda", 2, 'two "words"; rm 1');
    assert.equal(await g.partGetName("/dev/sda", 2), 'two "words"; rm 1');
    await g.partDel("/dev/sda", 2);
    await g.sfdisk("/dev/sda", 0, 0, 0, ["2048,202752", "204800,4096"]);
    assert.equal(await g.blockdevGetsize64("/dev/sda2"), 2 * MiB);
    await g.write("/still", bytes("here"));
    assert.equal(await g.cat("/still"), "here");
    await assert.rejects(g.mkfs("ext2", "/dev/sda1"), fails("EBUSY"));
    assert.equal(await g.vfsType("/dev/sda1"), "ext2");
  });

  test("all 64 bits of a GPT's attributes", async () => {
    await g.partAdd("/dev/sda", "p", 2048, 4095);
    for (const bits of [5n, (1n << 48n) | 4n, -(1n << 63n) | 1n, 1n << 20n, 0n]) {
      await g.partSetGptAttributes("/dev/sda", 1, bits);
      assert.equal(await g.partGetGptAttributes("/dev/sda", 1), bits);
    }
  });

  test("labels of drives are names of devices", async () => {
    assert.deepEqual({ ...(await g.listDiskLabels()) }, { second: "/dev/sdb" });
    await g.partDisk("/dev/disk/guestfs/second", "mbr");
    assert.deepEqual({ ...(await g.listDiskLabels()) }, { second: "/dev/sdb", second1: "/dev/sdb1" });
    assert.equal(await g.partToDev("/dev/disk/guestfs/second1"), "/dev/sdb");
    await g.zeroDevice("/dev/sdb");
    await g.blockdevRereadpt("/dev/sdb");
    assert.deepEqual({ ...(await g.listDiskLabels()) }, { second: "/dev/sdb" });
  });

  test("every filesystem is listed once, those on btrfs with their subvolumes", async () => {
    await g.partAdd("/dev/sda", "p", 2048, 4095);
    await g.partAdd("/dev/sda", "p", 4096, 204799);
    await g.partAdd("/dev/sda", "p", 204800, -2048);
    await g.partSetGptType("/dev/sda", 1, "E3C9E316-0B5C-4DB8-817D-F92DF00215AE");
    await g.pvcreate("/dev/sda2");
    await g.vgcreate("VG", ["/dev/sda2"]);
    await g.lvcreate("LV-x", "VG", 48);
    await g.mkswap("/dev/VG/LV-x");
    await g.mkfs("btrfs", "/dev/sda3");
    await g.mount("/dev/sda3", "/");
    await g.btrfsSubvolumeCreate("/sub");
    await g.umountAll();
    assert.deepEqual(Object.entries(await g.listFilesystems()), [
      ["/dev/sdb", "unknown"],
      ["/dev/sda3", "btrfs"],
      ["btrfsvol:/dev/sda3/sub", "btrfs"],
      ["/dev/VG/LV-x", "swap"],
    ]);
    await g.mount("btrfsvol:/dev/sda3/sub", "/");
    assert.deepEqual({ ...(await g.mountpoints()) }, { "/dev/sda3": "/" });
    await g.umountAll();
    await g.lvmRemoveAll();
  });

  test("mounts on mounts, read-only, in a loop; all gone at once", async () => {
    await g.partDisk("/dev/sda", "mbr");
    await g.mkfs("ext4", "/dev/sda1", { label: "one" });
    await g.mkfs("ext2", "/dev/sdb");
    assert.equal(await g.findfsLabel("one"), "/dev/sda1");
    await g.mount("/dev/sda1", "/");
    await g.mkdirP("/a/b");
    await g.mountRo("/dev/sdb", "/a");
    await assert.rejects(g.write("/a/f", bytes("x")), fails("EROFS"));
    await g.remount("/a", { rw: true });
    await g.mkdir("/a/c");
    await g.fallocate64("/image", 8 * MiB);
    await g.mountOptions("noexec", "/dev/sda1", "/a/c");
    await g.mkmountpoint("/loop");
    await assert.rejects(g.mountLoop("/image", "/loop"), fails("EINVAL"));
    assert.deepEqual(await g.mounts(), ["/dev/sda1", "/dev/sdb", "/dev/sda1"]);
    await assert.rejects(g.umount("/"), fails("EBUSY"));
    await g.umountAll();
    assert.deepEqual(await g.mounts(), []);
    await assert.rejects(g.ls("/"), fails("EINVAL"));
  });

  test("a mount point that is a symlink stays in the guest", async () => {
    await g.partDisk("/dev/sda", "mbr");
    await g.mkfs("ext2", "/dev/sda1");
    await g.mount("/dev/sda1", "/");
    await g.lnS("/etc", "/absolute");
    await g.lnS("../../../../etc", "/dots");
    await g.lnS("loop", "/loop");
    await g.mkdir("/etc");
    await assert.rejects(g.mount("/dev/sdb", "/loop"), fails("ELOOP"));
    for (const name of ["/absolute", "/dots"]) {
      await g.mount("/dev/sda1", name).catch(() => undefined);
      await g.umount("/etc").catch(() => undefined);
    }
    await g.mkfs("ext2", "/dev/sdb");
    await g.mount("/dev/sdb", "/absolute");
    assert.deepEqual({ ...(await g.mountpoints()) }, { "/dev/sda1": "/", "/dev/sdb": "/etc" });
    await g.umount("/dots");
    assert.deepEqual(await g.mounts(), ["/dev/sda1"]);
  });

  test("ntfs is made, mounted, changed", async () => {
    await g.partDisk("/dev/sda", "mbr");
    await g.mkfs("ntfs", "/dev/sda1", { label: "win" });
    await g.mount("/dev/sda1", "/");
    await g.write("/f", bytes("hi"));
    assert.deepEqual(await g.mounts(), ["/dev/sda1"]);
    await g.umount("/dev/sda1");
    assert.equal(await g.vfsLabel("/dev/sda1"), "win");
    assert.equal(await g.ntfs3gProbe(true, "/dev/sda1"), 0);
    await g.ntfsresize("/dev/sda1", { size: 200 * MiB });
  });
});
