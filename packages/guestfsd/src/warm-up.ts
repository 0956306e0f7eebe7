import { codecOf, encodeMessage } from "@guestfs/protocol";
import { procedures } from "@guestfs/schema";
import { closeSync, readdirSync, readFileSync, readSync, writeSync } from "node:fs";
import { DescriptorChannel } from "./channel.ts";
import { Conversation } from "./conversation.ts";
import type { DaemonOptions } from "./daemon-state.ts";
import { run } from "./exec.ts";
import { POLLIN, PollSet } from "./native/poll.ts";
import { shutDownWriting, socketPair } from "./native/socket.ts";

type Log = (line: string) => void;

type WarmUpCall = readonly [name: string, args?: Record<string, unknown>];

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

const first: readonly WarmUpCall[] = [
  ["mkfs", { fstype: "ext4", device }],
  ["mount", { mountable: device, mountpoint: "/" }],
  ["mkdir", { path: "/d" }],
  ["internal_write", { path: "/d/f", content: Buffer.from("warm\n") }],
  ["umount", { pathordevice: "/" }],
];

const typical: readonly WarmUpCall[] = [
  ["internal_feature_available", { group: "guestfs-extensions" }],
  ["extension_set_chunk_size", { size: 256 * 1024 }],
  ["list_devices"],
  ["list_partitions"],
  ["vfs_type", { mountable: device }],
  ["list_filesystems"],
  ["blockdev_getsize64", { device: disk }],
  ["mount_ro", { mountable: device, mountpoint: "/" }],
  ["umount_all"],
  ["mount_options", { options: "ro", mountable: device, mountpoint: "/" }],
  ["umount_all"],
  ["mount", { mountable: device, mountpoint: "/" }],
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

// Often enough that V8 has learnt what it learns from calls that are like each other.
const rounds = 2;

/** All of them, in order. */
export const warmUpCalls = (isFirst: boolean): readonly WarmUpCall[] => (isFirst ? [...first, ...typical] : typical);

// Read once, so that they are in the memory of every clone: what most calls run or load.
const programs =
  /^(lvm|blkid|sfdisk|parted|mke2fs|e2fsck|tune2fs|resize2fs|dumpe2fs|mkfs\.(xfs|vfat)|cryptsetup|file|tar|cp|rm|mv|du|df|find|grep|dd|sh|bash|dash|mount|umount|losetup|blockdev|mdadm|sgdisk|zcat|gzip)$/;

function encodeCall([name, args = {}]: WarmUpCall, serial: number): Uint8Array {
  const row = procedures.find((one) => one.name === name);
  if (row?.proc === undefined) throw new Error(`warm-up: there is no call ${name}`);
  const codec = codecOf(row);
  const header = {
    procedure: row.proc,
    direction: "call",
    serial,
    progressHint: 0,
    optionalMask: codec.optionalMask(args),
    status: "ok",
  } as const;
  return encodeMessage(header, (writer) => codec.writeArguments(writer, args));
}

/**
 * Serves a client in this process, whose calls stand in a list and who looks at no answer. Its channel is of the kind that the client
 * of a clone has: what V8 has learnt of another kind would be no good there.
 */
function serveCalls(calls: readonly WarmUpCall[], options: DaemonOptions, log: Log | undefined): void {
  const [client, server] = socketPair();
  const answers = new PollSet(1);
  answers.add(client, POLLIN);
  const waste = Buffer.alloc(64 * 1024);
  let next = 0;
  const callNext = (): void => {
    while (answers.wait(0) > 0) readSync(client, waste);
    const call = calls[next++];
    if (call === undefined) shutDownWriting(client);
    else writeSync(client, encodeCall(call, next));
  };
  try {
    new Conversation(new DescriptorChannel(server, callNext), options, log).serve();
  } finally {
    closeSync(client);
    closeSync(server);
  }
}

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
export function warmUp(isFirst: boolean, log: Log | undefined): void {
  if (isFirst) {
    run(["modprobe", "-a", "-q", ...modules], { accept: "any" });
    touchPrograms();
  }
  const options = { sysroot: "/sysroot", live: false, network: false, verbose: false, appliance: true };
  serveCalls(warmUpCalls(isFirst), options, log);
  for (let round = 1; round < rounds; round++) serveCalls(warmUpCalls(false), options, log);
}
