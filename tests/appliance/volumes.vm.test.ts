// Logical volumes, RAID, encryption and inspection, in the appliance: one handle for all.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Guestfs, RemoteError } from "guestfs";
import { inspectAndMount } from "guestfs/command-line";
import { minimalHive } from "@guestfs/testkit";

const bundle = fileURLToPath(new URL("../../packages/guestfsd/dist/bundle/guestfsd.cjs", import.meta.url));
const skip = existsSync(bundle) ? false : "the daemon is not bundled: npm run build";
const MiB = 1024 * 1024;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const utf16 = (text: string): Uint8Array => new Uint8Array(Buffer.from(`${text}\0`, "utf16le"));
const dword = (value: number): Uint8Array => {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return new Uint8Array(buffer);
};

const fails = (errno: string) => (error: unknown) => {
  assert.ok(error instanceof RemoteError, String(error));
  assert.equal(error.errno, errno, error.message);
  return true;
};

describe("volumes", { skip }, () => {
  const g = new Guestfs();

  before(async () => {
    for (let i = 0; i < 3; i++) await g.addDriveScratch(300 * MiB);
    await g.launch();
  });
  after(() => g.close());
  beforeEach(async () => {
    await g.umountAll();
    await g.lvmRemoveAll();
    for (const device of ["/dev/sda", "/dev/sdb", "/dev/sdc"]) await g.wipefs(device);
  });

  test("the nodes of logical volumes are there when the call returns, and gone with them", async () => {
    await g.partDisk("/dev/sda", "mbr");
    await g.pvcreate("/dev/sda1");
    await g.pvcreate("/dev/sdb");
    await g.vgcreate("VG", ["/dev/sda1", "/dev/sdb"]);
    await g.lvcreate("LV-1", "VG", 50);
    await g.lvcreateFree("LV2", "VG", 100);
    assert.deepEqual(await g.lvs(), ["/dev/VG/LV-1", "/dev/VG/LV2"]);
    assert.equal(await g.lvmCanonicalLvName("/dev/mapper/VG-LV--1"), "/dev/VG/LV-1");
    assert.equal(await g.isLv("/dev/VG/LV2"), true);
    assert.equal(await g.isLv("/dev/sda1"), false);
    await g.lvrename("/dev/VG/LV-1", "/dev/VG/LV3");
    await g.vgrename("VG", "VG2");
    assert.equal(await g.blockdevGetsize64("/dev/VG2/LV3"), 52 * MiB);
    await g.lvresize("/dev/VG2/LV3", 20);
    assert.equal(await g.blockdevGetsize64("/dev/VG2/LV3"), 20 * MiB);
    await g.vgActivate(false, ["VG2"]);
    await assert.rejects(g.isLv("/dev/VG2/LV3"), RemoteError);
    await g.vgActivateAll(true);
    await g.lvremove("/dev/VG2");
    assert.deepEqual(await g.lvs(), []);
    assert.deepEqual(await g.vgs(), ["VG2"]);
  });

  test("what LVM reports on volumes", async () => {
    await g.pvcreate("/dev/sdb");
    await g.vgcreate("VG", ["/dev/sdb"]);
    await g.lvcreate("LV", "VG", 40);
    const [pv] = await g.pvsFull();
    assert.equal(pv?.pv_name, "/dev/sdb");
    assert.equal(pv?.pv_used, 40 * MiB);
    assert.equal((await g.pvuuid("/dev/sdb")).replaceAll("-", ""), pv?.pv_uuid);
    const [vg] = await g.vgsFull();
    assert.deepEqual([vg?.vg_name, vg?.lv_count, vg?.vg_extent_size], ["VG", 1, 4 * MiB]);
    assert.deepEqual(await g.vgpvuuids("VG"), [await g.pvuuid("/dev/sdb")]);
    const [lv] = await g.lvsFull();
    assert.deepEqual([lv?.lv_name, lv?.lv_size, lv?.snap_percent], ["LV", 40 * MiB, -1]);
    assert.deepEqual(await g.vglvuuids("VG"), [await g.lvuuid("/dev/VG/LV")]);
    assert.match(Buffer.from(await g.vgmeta("VG")).toString(), /logical_volumes/);
  });

  test("a filter hides what is on the other devices until it is lifted", async () => {
    for (const [device, group] of [
      ["/dev/sda", "A"],
      ["/dev/sdb", "B"],
    ] as const) {
      await g.pvcreate(device);
      await g.vgcreate(group, [device]);
    }
    await g.lvmSetFilter(["/dev/sdb"]);
    assert.deepEqual(await g.vgs(), ["B"]);
    assert.deepEqual(await g.pvs(), ["/dev/sdb"]);
    await g.lvmClearFilter();
    assert.deepEqual(await g.vgs(), ["A", "B"]);
  });

  test("RAID arrays, with members that are missing or spare", async () => {
    await g.mdCreate("mirror", ["/dev/sda", "/dev/sdb"], { level: "raid1" });
    const [array = ""] = await g.listMdDevices();
    assert.equal((await g.mdDetail("/dev/md/mirror"))["level"], "raid1");
    assert.deepEqual((await g.mdStat(array)).map(({ mdstat_device }) => mdstat_device).toSorted(), [
      "/dev/sda",
      "/dev/sdb",
    ]);
    await g.mdStop(array);
    assert.deepEqual(await g.listMdDevices(), []);
    await assert.rejects(g.mdDetail("/dev/md/mirror"), RemoteError);
    await g.mdCreate("five", ["/dev/sda", "/dev/sdb", "/dev/sdc"], {
      missingbitmap: 4,
      nrdevices: 3,
      spare: 1,
      level: "raid5",
    });
    assert.deepEqual(await g.listMdDevices(), [array]);
    await g.mdStop(array);
    await assert.rejects(g.mdCreate("six", ["/dev/sda"], { nrdevices: 3 }), RemoteError);
  });

  test("an encrypted device opens with its key alone", async () => {
    await g.luksFormat("/dev/sda", "geheim\nwith a second line", 0);
    assert.match(await g.luksUuid("/dev/sda"), /^[0-9a-f-]{36}$/);
    await assert.rejects(g.cryptsetupOpen("/dev/sda", "geheim", "clear"), fails("EPERM"));
    await assert.rejects(g.luksAddKey("/dev/sda", "geheim", "more", 1), fails("EPERM"));
    await g.cryptsetupOpen("/dev/sda", "geheim\nwith a second line", "clear");
    await assert.rejects(g.cryptsetupOpen("/dev/sda", "geheim\nwith a second line", "clear"), fails("EEXIST"));
    await assert.rejects(g.cryptsetupOpen("/dev/sda", "geheim\nwith a second line", "twice"), fails("EBUSY"));
    await g.mkfs("ext2", "/dev/mapper/clear");
    assert.equal(await g.vfsType("/dev/sda"), "crypto_LUKS");
    await g.mount("/dev/mapper/clear", "/");
    await assert.rejects(g.cryptsetupClose("/dev/mapper/clear"), fails("EBUSY"));
    await g.umount("/");
    await g.cryptsetupClose("/dev/mapper/clear");
    await assert.rejects(g.vfsType("/dev/mapper/clear"), RemoteError);
  });

  test("an operating system on encrypted devices is mounted with their keys", async () => {
    // A key that is slow to guess takes an emulated processor a minute.
    const format = (device: string, key: string): Promise<string> =>
      g.debug("sh", [
        `printf ${key} | cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 ${device} -`,
      ]);
    await format("/dev/sda", "outer");
    await g.cryptsetupOpen("/dev/sda", "outer", "outer");
    await g.pvcreate("/dev/mapper/outer");
    await g.vgcreate("VG", ["/dev/mapper/outer"]);
    await g.lvcreate("root", "VG", 100);
    await format("/dev/VG/root", "inner");
    await g.cryptsetupOpen("/dev/VG/root", "inner", "inner");
    await g.mkfs("ext4", "/dev/mapper/inner");
    await g.mount("/dev/mapper/inner", "/");
    for (const folder of ["/etc", "/bin", "/boot"]) await g.mkdir(folder);
    await g.write("/etc/fstab", bytes("/dev/mapper/inner / ext4 defaults\n"));
    await g.write("/etc/os-release", bytes('ID=debian\nVERSION_ID="12"\n'));
    await g.umountAll();
    await g.cryptsetupClose("/dev/mapper/inner");
    await g.vgActivate(false, ["VG"]);
    await g.cryptsetupClose("/dev/mapper/outer");

    const asked: string[] = [];
    const root = await inspectAndMount(g, {
      readOnly: true,
      keys: ["/dev/sda:key:outer"],
      askKey(device) {
        asked.push(device);
        return Promise.resolve("inner");
      },
      warn: (message) => assert.fail(message),
    });
    assert.deepEqual(asked, ["/dev/VG/root"]);
    assert.match(await g.cat("/etc/os-release"), /debian/);
    await g.umountAll();
    await g.cryptsetupClose(root);
    await g.vgActivate(false, ["VG"]);
    for (const device of await g.listDmDevices()) await g.cryptsetupClose(device);
  });

  test("inspection: Linux on LVM, Windows, Linux in a subvolume of btrfs", async () => {
    await g.partInit("/dev/sda", "mbr");
    await g.partAdd("/dev/sda", "p", 2048, 204_799);
    await g.partAdd("/dev/sda", "p", 204_800, -64);
    await g.mkfs("ext2", "/dev/sda1", { label: "BOOT" });
    await g.pvcreate("/dev/sda2");
    await g.vgcreate("VG", ["/dev/sda2"]);
    await g.lvcreate("root", "VG", 100);
    await g.mkfs("ext4", "/dev/VG/root");
    await g.mount("/dev/VG/root", "/");
    for (const folder of ["/etc", "/bin", "/boot"]) await g.mkdir(folder);
    await g.write(
      "/etc/fstab",
      bytes("/dev/mapper/VG-root / ext4 defaults\nLABEL=BOOT /boot ext2 defaults\nproc /proc proc\n"),
    );
    await g.write("/etc/os-release", bytes('ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n'));
    await g.write("/bin/ls", readFileSync("/bin/ls").subarray(0, 8192));
    await g.umountAll();

    await g.partDisk("/dev/sdb", "mbr");
    await g.mkfs("ntfs", "/dev/sdb1");
    await g.mount("/dev/sdb1", "/");
    for (const folder of ["/Windows", "/Windows/System32", "/Windows/System32/config"]) await g.mkdir(folder);
    await g.touch("/Windows/System32/cmd.exe");
    const keyAt = async (...names: string[]): Promise<number> => {
      let node = await g.hivexRoot();
      for (const name of names)
        node = (await g.hivexNodeGetChild(node, name)) || (await g.hivexNodeAddChild(node, name));
      return node;
    };
    await g.write("/Windows/System32/config/SOFTWARE", minimalHive());
    await g.hivexOpen("/Windows/System32/config/SOFTWARE", { write: true });
    const current = await keyAt("Microsoft", "Windows NT", "CurrentVersion");
    await g.hivexNodeSetValue(current, "ProductName", 1, utf16("Windows 10 Pro"));
    await g.hivexNodeSetValue(current, "CurrentMajorVersionNumber", 4, dword(10));
    await g.hivexCommit(null);
    await g.hivexClose();
    await g.write("/Windows/System32/config/SYSTEM", minimalHive());
    await g.hivexOpen("/Windows/System32/config/SYSTEM", { write: true });
    await g.hivexNodeSetValue(await keyAt("Select"), "Current", 4, dword(2));
    const mapping = Buffer.alloc(12);
    mapping.set(await g.preadDevice("/dev/sdb", 4, 440));
    mapping.writeBigUInt64LE(BigInt((await g.partList("/dev/sdb"))[0]?.part_start ?? 0), 4);
    await g.hivexNodeSetValue(await keyAt("MountedDevices"), "\\DosDevices\\C:", 3, new Uint8Array(mapping));
    await g.hivexCommit(null);
    await g.hivexClose();
    await g.umountAll();

    await g.mkfsBtrfs(["/dev/sdc"]);
    await g.mount("/dev/sdc", "/");
    await g.btrfsSubvolumeCreate("/root");
    await g.btrfsSubvolumeCreate("/home");
    await g.umountAll();
    await g.mount("btrfsvol:/dev/sdc/root", "/");
    for (const folder of ["/etc", "/bin"]) await g.mkdir(folder);
    const uuid = await g.vfsUuid("/dev/sdc");
    await g.write("/etc/fstab", bytes(`UUID=${uuid} / btrfs subvol=root\nUUID=${uuid} /home btrfs subvol=home\n`));
    await g.write("/etc/os-release", bytes("ID=fedora\nVERSION_ID=39\n"));

    const linux = "/dev/VG/root";
    const windows = "/dev/sdb1";
    const btrfs = "btrfsvol:/dev/sdc/root";
    assert.deepEqual(await g.inspectOs(), [linux, windows, btrfs]);
    assert.deepEqual(await g.mounts(), []);
    assert.equal(await g.inspectGetDistro(linux), "debian");
    assert.equal(await g.inspectGetMajorVersion(linux), 12);
    assert.equal(await g.inspectGetPackageManagement(linux), "apt");
    assert.notEqual(await g.inspectGetArch(linux), "unknown");
    assert.deepEqual({ ...(await g.inspectGetMountpoints(linux)) }, { "/": linux, "/boot": "/dev/sda1" });
    assert.equal(await g.inspectGetType(windows), "windows");
    assert.equal(await g.inspectGetProductName(windows), "Windows 10 Pro");
    assert.equal(await g.inspectGetWindowsSystemroot(windows), "/Windows");
    assert.equal(await g.inspectGetWindowsCurrentControlSet(windows), "ControlSet002");
    assert.deepEqual({ ...(await g.inspectGetDriveMappings(windows)) }, { C: windows });
    assert.deepEqual(await g.inspectGetFilesystems(btrfs), ["btrfsvol:/dev/sdc/home", btrfs]);
    assert.equal(await g.inspectGetPackageFormat(btrfs), "rpm");
    await assert.rejects(g.inspectGetWindowsSystemroot(linux), RemoteError);
    await assert.rejects(g.inspectGetType("/dev/sda1"), RemoteError);
  });
});
