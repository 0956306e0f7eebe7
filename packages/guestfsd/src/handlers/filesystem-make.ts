import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { DeviceNames } from "../device.ts";
import { run } from "../exec.ts";
import { makeFileSystem, wipeForNew } from "../mkfs.ts";
import { wipeSignatures } from "../native/blkid.ts";
import { O_DIRECTORY } from "../native/file.ts";
import { syncPartitions } from "../partition-sync.ts";

type MakeCalls =
  | Extract<keyof HandlersOf<"filesystem">, `mke2${string}` | `mkfs${string}`>
  | "mklost_and_found"
  | "wipefs";
type Mke2fs = Parameters<HandlersOf<"filesystem">["mke2fs"]>[0];

function checkPositive(name: string, value: number): number {
  if (value < 1) throw new DaemonError(`${name} is ${value}: it must be 1 or more`, "EINVAL");
  return value;
}

function checkType(fstype: string): string {
  if (!/^ext[234]$/.test(fstype)) throw new DaemonError(`${fstype}: not ext2, ext3 or ext4`, "EINVAL");
  return fstype;
}

/** `/dev/sdX` of the client may have another name here; `LABEL=` and `UUID=` stay. */
function journalDevice(context: Context, journal: string): string {
  return journal.startsWith("/dev/") ? new DeviceNames(context.state.options.appliance).toKernel(journal) : journal;
}

/** The options with a number of mke2fs(8). */
const numbers: readonly (readonly [keyof Mke2fs, string])[] = [
  ["blocksize", "-b"],
  ["fragsize", "-C"],
  ["blockspergroup", "-g"],
  ["numberofgroups", "-G"],
  ["bytesperinode", "-i"],
  ["inodesize", "-I"],
  ["numberofinodes", "-N"],
];
const texts: readonly (readonly [keyof Mke2fs, string])[] = [
  ["label", "-L"],
  ["lastmounteddir", "-M"],
  ["creatoros", "-o"],
  ["usagetype", "-T"],
  ["uuid", "-U"],
];
const extended: readonly (readonly [keyof Mke2fs, string])[] = [
  ["stridesize", "stride"],
  ["stripewidth", "stripe_width"],
  ["maxonlineresize", "resize"],
  ["mmpupdateinterval", "mmp_update_interval"],
];
const features: readonly (readonly [keyof Mke2fs, string])[] = [
  ["extent", "extent"],
  ["filetype", "filetype"],
  ["flexbg", "flex_bg"],
  ["hasjournal", "has_journal"],
  ["journaldev", "journal_dev"],
  ["largefile", "large_file"],
  ["quota", "quota"],
  ["resizeinode", "resize_inode"],
  ["sparsesuper", "sparse_super"],
  ["uninitbg", "uninit_bg"],
];

function extendedOptions(args: Mke2fs): string[] {
  const options = extended.flatMap(([name, option]) => {
    const value = args[name] as number | undefined;
    return value === undefined ? [] : [`${option}=${checkPositive(name, value)}`];
  });
  if (args.lazyitableinit !== undefined) options.push(`lazy_itable_init=${args.lazyitableinit ? 1 : 0}`);
  if (args.lazyjournalinit !== undefined) options.push(`lazy_journal_init=${args.lazyjournalinit ? 1 : 0}`);
  if (args.testfs) options.push("test_fs");
  if (args.discard !== undefined) options.push(args.discard ? "discard" : "nodiscard");
  if (args.quotatype) options.push("quotatype=usrquota:grpquota");
  return options;
}

function joined(option: string, values: readonly string[]): string[] {
  return values.length === 0 ? [] : [option, values.join(",")];
}

function mke2fsArguments(args: Mke2fs, context: Context): string[] {
  const argv = numbers.flatMap(([name, option]) => {
    const value = args[name] as number | undefined;
    return value === undefined ? [] : [option, String(checkPositive(name, value))];
  });
  const percentage = args.reservedblockspercentage;
  if (percentage !== undefined) {
    if (percentage < 0 || percentage > 50)
      throw new DaemonError(`${percentage}: from 0 to 50 percent of the blocks can be reserved`, "EINVAL");
    argv.push("-m", String(percentage));
  }
  for (const [name, option] of texts) if (args[name] !== undefined) argv.push(option, args[name] as string);
  if (args.fstype !== undefined) argv.push("-t", checkType(args.fstype));
  const journal: string[] = [];
  if (args.journalsize !== undefined) journal.push(`size=${checkPositive("journalsize", args.journalsize)}`);
  if (args.journaldevice !== undefined) journal.push(`device=${journalDevice(context, args.journaldevice)}`);
  const chosen = features.flatMap(([name, feature]) =>
    args[name] === undefined ? [] : [args[name] ? feature : `^${feature}`],
  );
  argv.push(...joined("-J", journal), ...joined("-E", extendedOptions(args)), ...joined("-O", chosen));
  if (args.forcecreate) argv.push("-F");
  if (args.writesbandgrouponly) argv.push("-S");
  return argv;
}

function mke2fs(argv: readonly string[], device: string, pulse: () => void, blocks?: number): void {
  wipeForNew(device);
  run(
    ["mke2fs", ...argv, "--", device, ...(blocks === undefined ? [] : [String(checkPositive("blockscount", blocks))])],
    { pulse },
  );
  syncPartitions(device);
}

const size = (blocksize: number): string[] => ["-b", String(checkPositive("blocksize", blocksize))];

/** New filesystems. */
export const filesystemMake: Pick<HandlersOf<"filesystem">, MakeCalls> = {
  mkfs({ fstype, device, ...options }, context) {
    makeFileSystem(fstype, device, options, context.pulse);
  },
  mkfs_b({ fstype, blocksize, device }, context) {
    makeFileSystem(fstype, device, { blocksize }, context.pulse);
  },
  mke2fs(args, context) {
    const argv = mke2fsArguments(args, context);
    // Only the superblock is written again: what is there must stay recognisable.
    if (args.writesbandgrouponly) run(["mke2fs", ...argv, "--", args.device]);
    else mke2fs(argv, args.device, context.pulse, args.blockscount);
  },
  mke2fs_J({ fstype, blocksize, device, journal }, context) {
    mke2fs(["-F", "-t", checkType(fstype), "-J", `device=${journal}`, ...size(blocksize)], device, context.pulse);
  },
  mke2fs_JL({ fstype, blocksize, device, label }, context) {
    mke2fs(["-F", "-t", checkType(fstype), "-J", `device=LABEL=${label}`, ...size(blocksize)], device, context.pulse);
  },
  mke2fs_JU({ fstype, blocksize, device, uuid }, context) {
    mke2fs(["-F", "-t", checkType(fstype), "-J", `device=UUID=${uuid}`, ...size(blocksize)], device, context.pulse);
  },
  mke2journal({ blocksize, device }, context) {
    mke2fs(["-F", "-O", "journal_dev", ...size(blocksize)], device, context.pulse);
  },
  mke2journal_L({ blocksize, label, device }, context) {
    mke2fs(["-F", "-O", "journal_dev", ...size(blocksize), "-L", label], device, context.pulse);
  },
  mke2journal_U({ blocksize, uuid, device }, context) {
    mke2fs(["-F", "-O", "journal_dev", ...size(blocksize), "-U", uuid], device, context.pulse);
  },
  mklost_and_found({ mountpoint }, context) {
    context.sysroot.withOpen(mountpoint, O_DIRECTORY, (directory) => run(["mklost+found"], { directory }));
  },
  wipefs({ device }) {
    wipeSignatures(device, false);
    syncPartitions(device);
  },
};
