import { readdirSync, readFileSync } from "node:fs";
import { compileEagerly, interpretAtFirst } from "./compilation.ts";
import type { DaemonOptions } from "./daemon-state.ts";
import { run } from "./exec.ts";
import { collectGarbage } from "./garbage.ts";
import { serveCalls } from "./in-process-client.ts";
import type { CallMade } from "./in-process-client.ts";

type Log = (line: string) => void;

const disk = "/dev/sda";
const device = "/dev/sda1";
// Filesystems and volumes that disks of virtual machines have; some take long to load.
const modules = [
  "ext4",
  "xfs",
  "btrfs",
  "vfat",
  "nls_ascii",
  "nls_cp437",
  "isofs",
  "dm_mod",
  "dm_crypt",
  "loop",
  "fuse",
];

const first: readonly CallMade[] = [
  ["mkfs", { fstype: "ext4", device }],
  ["mount", { mountable: device, mountpoint: "/" }],
  ["mkdir", { path: "/d" }],
  ["internal_write", { path: "/d/f", content: Buffer.from("warm\n") }],
  ["umount", { pathordevice: "/" }],
];

// Mounts before what has volumes started, so that both ways are known.
const typical: readonly CallMade[] = [
  ["internal_feature_available", { group: "guestfs-extensions" }],
  ["extension_set_chunk_size", { size: 256 * 1024 }],
  ["mount_ro", { mountable: device, mountpoint: "/" }],
  ["umount_all"],
  ["mount_options", { options: "ro", mountable: device, mountpoint: "/" }],
  ["umount_all"],
  ["mount", { mountable: device, mountpoint: "/" }],
  ["list_devices"],
  ["list_partitions"],
  ["vfs_type", { mountable: device }],
  ["list_filesystems"],
  ["blockdev_getsize64", { device: disk }],
  ["ping_daemon"],
  ["is_file", { path: "/d/f", followsymlinks: false }],
  ["is_dir", { path: "/d", followsymlinks: false }],
  ["exists", { path: "/d/f" }],
  ["statns", { path: "/d/f" }],
  ["lstatns", { path: "/d/f" }],
  ["internal_write", { path: "/d/f", content: Buffer.from("warm\n") }],
  ["internal_readdir", { dir: "/d" }],
  ["ls0", { dir: "/d" }],
  ["find0", { directory: "/d" }],
  ["extension_walk", { directory: "/d", maxdepth: 0 }],
  ["download", { remotefilename: "/d/f" }],
  ["mountpoints"],
  ["sync"],
  ["internal_autosync"],
];

// Once is enough for what a program calls once or twice: to find and compile it is most of the price.
const seldom: readonly CallMade[] = [
  ["mount", { mountable: device, mountpoint: "/" }],
  ["mkdir", { path: "/m" }],
  ["mkdir_p", { path: "/m/a/b" }],
  ["touch", { path: "/m/t" }],
  ["internal_write_append", { path: "/m/t", content: Buffer.from("warm\n") }],
  ["chmod", { mode: 0o600, path: "/m/t" }],
  ["chown", { owner: 1, group: 1, path: "/m/t" }],
  ["utimens", { path: "/m/t", atsecs: 1, atnsecs: 0, mtsecs: 1, mtnsecs: 0 }],
  ["truncate_size", { path: "/m/t", size: 100 }],
  ["pread", { path: "/m/t", count: 10, offset: 0 }],
  ["pwrite", { path: "/m/t", content: Buffer.from("warm\n"), offset: 0 }],
  ["filesize", { file: "/m/t" }],
  ["lsetxattr", { xattr: "user.warm", val: "x", vallen: 1, path: "/m/t" }],
  ["lgetxattrs", { path: "/m/t" }],
  ["lgetxattr", { path: "/m/t", name: "user.warm" }],
  ["ln_s", { target: "t", linkname: "/m/l" }],
  ["readlink", { path: "/m/l" }],
  ["realpath", { path: "/m/l" }],
  ["cp", { src: "/m/t", dest: "/m/c" }],
  ["cp_a", { src: "/m/a", dest: "/m/d" }],
  ["mv", { src: "/m/c", dest: "/m/e" }],
  ["rename", { oldpath: "/m/e", newpath: "/m/c" }],
  ["copy_attributes", { src: "/m/t", dest: "/m/c", all: true }],
  ["head", { path: "/m/t" }],
  ["grep", { regex: "w", path: "/m/t" }],
  ["checksum", { csumtype: "md5", path: "/m/t" }],
  ["checksum", { csumtype: "sha256", path: "/m/t" }],
  ["file", { path: "/m/t" }],
  ["ll", { directory: "/m" }],
  ["glob_expand", { pattern: "/m/*" }],
  ["statvfs", { path: "/" }],
  ["df"],
  ["du", { path: "/m" }],
  ["tar_out", { directory: "/m" }],
  ["rm", { path: "/m/c" }],
  ["rmdir", { path: "/m/a/b" }],
  ["rm_rf", { path: "/m" }],
  ["blkid", { device }],
  ["vfs_uuid", { mountable: device }],
  ["vfs_label", { mountable: device }],
  ["part_list", { device: disk }],
  ["part_get_parttype", { device: disk }],
  ["lvs"],
  ["vgs"],
  ["tune2fs_l", { device }],
  ["dmesg"],
  ["inspect_os"],
  ["internal_autosync"],
];

/** What programs call again and again. */
export const frequentCalls: readonly CallMade[] = [
  ["ping_daemon"],
  ["is_file", { path: "/d/f", followsymlinks: false }],
  ["ping_daemon"],
  ["exists", { path: "/d/f" }],
  ["lstatns", { path: "/d/f" }],
];
// Times the rounds of compileEagerly, so many calls that the smallest function that all of them run has used up what it might run.
const frequentRounds = 50;

// Often enough that V8 has learnt what it learns from calls that are like each other.
const rounds = 2;

/** All of them, in order. */
export const warmUpCalls = (isFirst: boolean): readonly CallMade[] =>
  isFirst ? [...first, ...typical, ...seldom] : typical;

// Read once, so that they are in the memory of every clone: what most calls run or load.
const programs =
  /^(lvm|blkid|sfdisk|parted|mke2fs|e2fsck|tune2fs|resize2fs|dumpe2fs|mkfs\.(xfs|vfat)|cryptsetup|file|tar|cp|rm|mv|du|df|find|grep|dd|sh|bash|dash|mount|umount|losetup|blockdev|mdadm|sgdisk|zcat|gzip)$/;

function touchPrograms(): void {
  for (const folder of ["/usr/bin", "/usr/sbin"]) {
    for (const name of readdirSync(folder)) if (programs.test(name)) readFileSync(`${folder}/${name}`);
  }
}

/**
 * Makes typical calls on a scratch disk, the only drive there is, so that modules are loaded, programs in memory and code compiled in
 * every machine that is restored from this one. What fails only stays cold.
 * @param isFirst - the disk has a partition and nothing in it; later it has what was left there
 */
export function warmUp(isFirst: boolean, options: DaemonOptions, log: Log | undefined): void {
  if (isFirst) {
    run(["modprobe", "-a", "-q", ...modules], { accept: "any" });
    touchPrograms();
  }
  serveCalls(warmUpCalls(isFirst), options, log);
  for (let round = 1; round < rounds; round++) serveCalls(warmUpCalls(false), options, log);
}

/**
 * Has the optimizing compiler work ahead: clones would pay for it, and for being slow until then. Needs what {@link warmUp} has left on
 * the scratch disk.
 */
export function compileFrequentCalls(options: DaemonOptions): void {
  const calls = Array.from({ length: frequentRounds }, () => frequentCalls).flat();
  const mount: CallMade = ["mount_ro", { mountable: device, mountpoint: "/" }];
  compileEagerly(() => serveCalls([mount, ...calls, ["umount_all"]], options, undefined));
  interpretAtFirst();
  collectGarbage();
}
