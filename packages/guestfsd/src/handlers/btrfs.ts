import { constants } from "node:fs";
import { btrfs as program } from "../btrfs.ts";
import type { HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { run } from "../exec.ts";
import { btrfsSubvolume } from "./btrfs-subvolume.ts";
import { btrfsUpkeep } from "./btrfs-upkeep.ts";

function checkNotNegative(name: string, value: number): string {
  if (value < 0) throw new DaemonError(`${name}: ${value} is negative`);
  return String(value);
}

const compressions = ["zlib", "lzo", "zstd"];

/** btrfs. */
export const btrfs: HandlersOf<"btrfs"> = {
  ...btrfsSubvolume,
  ...btrfsUpkeep,

  mkfs_btrfs({ devices, bytecount, datatype, leafsize, label, metadata, nodesize, sectorsize, allocstart }) {
    if (devices.length === 0) throw new DaemonError("a file system needs at least one device");
    // Both have been without effect, then gone, since btrfs-progs 4.
    if (allocstart !== undefined) checkNotNegative("allocstart", allocstart);
    const node = nodesize ?? leafsize;
    const argv = ["mkfs.btrfs", "--force"];
    if (bytecount !== undefined) argv.push("--byte-count", checkNotNegative("bytecount", bytecount));
    if (datatype !== undefined) argv.push("--data", datatype);
    if (metadata !== undefined) argv.push("--metadata", metadata);
    if (label !== undefined) argv.push("--label", label);
    if (node !== undefined) argv.push("--nodesize", checkNotNegative("nodesize", node));
    if (sectorsize !== undefined) argv.push("--sectorsize", checkNotNegative("sectorsize", sectorsize));
    run([...argv, "--", ...devices]);
  },
  btrfs_fsck({ device, superblock, repair }, context) {
    const argv = ["check"];
    if (superblock !== undefined) argv.push("--super", checkNotNegative("superblock", superblock));
    // `--force` with it spares the ten seconds of reflection.
    if (repair) argv.push("--repair", "--force");
    program([...argv, "--", device], { pulse: context.pulse });
  },
  btrfs_image({ source, image, compresslevel }, context) {
    const options = compresslevel === undefined ? [] : ["-c", checkNotNegative("compresslevel", compresslevel)];
    const { O_WRONLY, O_CREAT, O_TRUNC, O_NOCTTY, O_NONBLOCK } = constants;
    const write = (stdout: number): unknown =>
      run(["btrfs-image", ...options, "--", ...source, "-"], { stdout, pulse: context.pulse });
    context.sysroot.withOpen(image, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_NONBLOCK, write, 0o666);
  },

  btrfs_device_add({ devices, fs }, context) {
    if (devices.length > 0) program(["device", "add", "--force", "--", ...devices, context.sysroot.outside(fs)]);
  },
  btrfs_device_delete({ devices, fs }, context) {
    if (devices.length > 0)
      program(["device", "delete", "--", ...devices, context.sysroot.outside(fs)], { pulse: context.pulse });
  },
  btrfs_replace({ srcdev, targetdev, mntpoint }, context) {
    const argv = ["replace", "start", "-B", "-f", "--", srcdev, targetdev, context.sysroot.outside(mntpoint)];
    program(argv, { pulse: context.pulse });
  },

  btrfs_filesystem_balance({ fs }, context) {
    program(["balance", "start", "--full-balance", "--", context.sysroot.outside(fs)], { pulse: context.pulse });
  },
  btrfs_filesystem_defragment({ path, flush, compress }, context) {
    const argv = ["filesystem", "defragment", "-r"];
    if (flush) argv.push("-f");
    if (compress !== undefined) {
      if (!compressions.includes(compress))
        throw new DaemonError(`compress: '${compress}' is none of ${compressions.join(", ")}`);
      argv.push(`-c${compress}`);
    }
    program([...argv, "--", context.sysroot.outside(path)], { pulse: context.pulse });
  },
  btrfs_filesystem_resize({ mountpoint, size }, context) {
    const wanted = size === undefined ? "max" : checkNotNegative("size", size);
    program(["filesystem", "resize", "--", wanted, context.sysroot.outside(mountpoint)], { pulse: context.pulse });
  },
  btrfs_filesystem_show({ device }) {
    const text = program(["filesystem", "show", "--", device]);
    if (text.includes("*** Some devices missing"))
      throw new DaemonError(`${device}: devices of this file system are missing`, "ENODEV");
    return [...text.matchAll(/^\s*devid\s.*\spath (\S+)/gm)].map((match) => match[1] ?? "");
  },
  btrfs_filesystem_sync({ fs }, context) {
    program(["filesystem", "sync", "--", context.sysroot.outside(fs)]);
  },
};
