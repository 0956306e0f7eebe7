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
export const warmUpCalls = (isFirst: boolean): readonly CallMade[] => (isFirst ? [...first, ...typical] : typical);

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
