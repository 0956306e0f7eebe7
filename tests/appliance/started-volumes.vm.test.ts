// Volumes that a disk has already when its machine is looked at: started before the first call that needs them, and not sooner.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Guestfs, RemoteError } from "guestfs";

const MiB = 2 ** 20;
const sectors = (mebibytes: number): number => (mebibytes * MiB) / 512;
const folder = mkdtempSync(join(tmpdir(), "guestfs-started-volumes-"));
after(() => rmSync(folder, { recursive: true }));

function emptyDisk(name: string, mebibytes: number): string {
  const path = join(folder, name);
  writeFileSync(path, "");
  truncateSync(path, mebibytes * MiB);
  return path;
}

const one = emptyDisk("one.img", 800);
const other = emptyDisk("other.img", 100);

async function withDisks<T>(use: (g: Guestfs) => Promise<T>, paths: readonly string[] = [one, other]): Promise<T> {
  await using g = new Guestfs();
  for (const path of paths) await g.addDrive(path, { format: "raw" });
  await g.launch();
  return await use(g);
}

// sda: a plain file system, a volume group, and one of two devices of a btrfs; the other is a logical volume. sdb: half of a mirror.
before(async () => {
  await withDisks(async (g) => {
    await g.partInit("/dev/sda", "gpt");
    for (const [from, to] of [
      [1, 100],
      [100, 500],
      [500, 799],
    ] as const)
      await g.partAdd("/dev/sda", "p", sectors(from), sectors(to) - 1);
    await g.mkfs("ext4", "/dev/sda1");
    await g.pvcreate("/dev/sda2");
    await g.vgcreate("VG", ["/dev/sda2"]);
    await g.lvcreate("LV", "VG", 100);
    await g.lvcreate("member", "VG", 250);
    await g.mkfs("ext4", "/dev/VG/LV");
    await g.mkfsBtrfs(["/dev/sda3", "/dev/VG/member"], { datatype: "single", metadata: "raid1" });
    await g.mdCreate("mirror", ["/dev/sdb"], { missingbitmap: 2, nrdevices: 2, level: "raid1" });
    await g.mkfs("ext4", "/dev/md/mirror");
  });
});

test("a plain partition is mounted, and a logical volume after it", () =>
  withDisks(async (g) => {
    await g.mount("/dev/sda1", "/");
    await g.mkdir("/lv");
    await g.mount("/dev/VG/LV", "/lv");
    await g.touch("/lv/file");
    assert.deepEqual(await g.lvs(), ["/dev/VG/LV", "/dev/VG/member"]);
    assert.deepEqual({ ...(await g.mountpoints()) }, { "/dev/sda1": "/", "/dev/VG/LV": "/lv" });
  }));

test("the first call that asks for volumes finds them, after a mount and a file", () =>
  withDisks(async (g) => {
    await g.mountRo("/dev/sda1", "/");
    assert.equal(await g.exists("/lv"), true);
    assert.deepEqual(await g.lvs(), ["/dev/VG/LV", "/dev/VG/member"]);
  }));

test("a program that looks for volumes finds them, after a mount", () =>
  withDisks(async (g) => {
    await g.mount("/dev/sda1", "/");
    assert.match(await g.debug("sh", ["ls /dev/VG"]), /LV\n.*member/s);
  }));

test("a device of a btrfs is mounted although the other is a logical volume", () =>
  withDisks(async (g) => {
    await g.mountOptions("", "/dev/sda3", "/");
    await g.touch("/file");
  }));

test("an array is there for the mount that names it", () =>
  withDisks(async (g) => {
    await g.mount("/dev/sda1", "/");
    await g.mkdirP("/lv");
    const [array = ""] = await g.listMdDevices();
    await g.mount(array, "/lv");
    assert.equal((await g.mdDetail(array))["level"], "raid1");
  }));

test("what is a part of a volume is no file system", () =>
  withDisks(async (g) => {
    await assert.rejects(g.mount("/dev/sda2", "/"), RemoteError);
    await assert.rejects(g.mount("/dev/sdb", "/"), /no.*filesystem|unknown filesystem/);
    // The array holds it.
    await assert.rejects(g.mountVfs("", "ext4", "/dev/sdb", "/"), /busy|in use/i);
  }));

test("a partition that is half of a mirror is no file system, although one begins where it begins", async () => {
  await using g = new Guestfs();
  await g.addDriveScratch(100 * MiB);
  await g.launch();
  await g.partDisk("/dev/sda", "mbr");
  // With this kind of array the mark stands at the end.
  const create = "mdadm --create /dev/md/end --run --metadata=1.0 --level=1 --raid-devices=2 /dev/sda1 missing";
  await g.debug("sh", [create]);
  await g.mkfs("ext4", "/dev/md/end");
  await g.mdStop("/dev/md/end");
  await assert.rejects(g.mount("/dev/sda1", "/"), /unknown filesystem type 'linux_raid_member'/);
});

test("a mirror of partitions that end with their drives, as old systems made them, has a volume group", async () => {
  const paths = ["old1.img", "old2.img"].map((name) => emptyDisk(name, 200));
  await withDisks(async (g) => {
    for (const drive of await g.listDevices()) {
      await g.partInit(drive, "mbr");
      await g.partAdd(drive, "p", sectors(1), sectors(200) - 1);
    }
    // Its mark stands where one of the whole drive would stand.
    await g.debug("sh", [
      "mdadm --create /dev/md/old --run --metadata=0.90 --level=1 --raid-devices=2 /dev/sda1 /dev/sdb1",
    ]);
    await g.pvcreate("/dev/md/old");
    await g.vgcreate("VG", ["/dev/md/old"]);
    await g.lvcreate("LV", "VG", 50);
  }, paths);
  await withDisks(async (g) => assert.deepEqual(await g.lvs(), ["/dev/VG/LV"]), paths);
});

test("an array of arrays", async () => {
  const paths = ["a.img", "b.img", "c.img", "d.img"].map((name) => emptyDisk(name, 100));
  const level = "raid1";
  await withDisks(async (g) => {
    await g.mdCreate("left", ["/dev/sda", "/dev/sdb"], { level });
    await g.mdCreate("right", ["/dev/sdc", "/dev/sdd"], { level });
    await g.mdCreate("top", ["/dev/md/left", "/dev/md/right"], { level: "raid0" });
  }, paths);
  await withDisks(async (g) => assert.equal((await g.listMdDevices()).length, 3), paths);
});
