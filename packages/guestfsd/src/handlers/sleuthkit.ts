import { Writer, writeStruct } from "@guestfs/protocol";
import type { HandlersOf, OutputContext } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { isBlockDevice, parseMountable } from "../device.ts";
import { run } from "../exec.ts";
import { walkFileSystem } from "../native/sleuthkit.ts";
import type { WalkEntry } from "../native/sleuthkit.ts";

function checkInode(inode: number): string {
  if (inode < 0) throw new DaemonError(`inode: ${inode} is negative`);
  return String(inode);
}

/** The device under a mountable: these tools do not know btrfs's subvolumes. */
function deviceOf(mountable: string): string {
  return parseMountable(mountable, isBlockDevice).device;
}

/** Sends what a program prints. */
function download(context: OutputContext, argv: readonly string[]): void {
  run(argv, { stdout: context.output, pulse: context.pulse });
}

// TSK_FS_NAME_TYPE_ENUM and TSK_FS_META_TYPE_ENUM: fifo, characters, folder, blocks, file, link, socket, shadow, whiteout, unknown.
const nameTypes = "ufcdbrlshwuu";
const metaTypes = "urdfcblhswuu";

function entryFlags({ allocated, facts }: WalkEntry): number {
  const state = allocated ? 0x01 : facts?.allocated ? 0x02 : 0x00;
  return state | (facts?.compressed ? 0x04 : 0x00);
}

function send(context: OutputContext, entry: WalkEntry): void {
  const { facts } = entry;
  const none = { seconds: -1, nanoseconds: -1 };
  const [atime, mtime, ctime, crtime] = facts
    ? [facts.atime, facts.mtime, facts.ctime, facts.crtime]
    : [none, none, none, none];
  const writer = new Writer();
  writeStruct(writer, "tsk_dirent", {
    tsk_inode: BigInt(entry.inode),
    tsk_type: (facts ? metaTypes[facts.type] : nameTypes[entry.type]) ?? "u",
    tsk_size: facts?.size ?? -1,
    tsk_name: entry.path,
    tsk_flags: entryFlags(entry),
    tsk_atime_sec: atime.seconds,
    tsk_atime_nsec: atime.nanoseconds,
    tsk_mtime_sec: mtime.seconds,
    tsk_mtime_nsec: mtime.nanoseconds,
    tsk_ctime_sec: ctime.seconds,
    tsk_ctime_nsec: ctime.nanoseconds,
    tsk_crtime_sec: crtime.seconds,
    tsk_crtime_nsec: crtime.nanoseconds,
    tsk_nlink: facts?.nlink ?? -1,
    tsk_link: facts?.link ?? "",
    tsk_spare1: 0,
  });
  context.output.write(writer.bytes());
}

/** Files by their inode, deleted ones too. */
export const sleuthkit: HandlersOf<"sleuthkit"> = {
  download_inode({ device, inode }, context) {
    download(context, ["icat", "-r", "--", deviceOf(device), checkInode(inode)]);
  },
  download_blocks({ device, start, stop, unallocated }, context) {
    if (start < 0 || stop < start) throw new DaemonError(`${start} to ${stop}: no range of blocks`);
    const options = unallocated ? [] : ["-e"];
    download(context, ["blkls", ...options, deviceOf(device), `${start}-${stop}`]);
  },
  ntfscat_i({ device, inode }, context) {
    download(context, ["ntfscat", "-i", checkInode(inode), deviceOf(device)]);
  },
};

/** What the library composes `filesystem_walk` and `find_inode` of. */
export const internalSleuthkit: Pick<HandlersOf<"internal">, "internal_filesystem_walk" | "internal_find_inode"> = {
  internal_filesystem_walk({ device }, context) {
    walkFileSystem(deviceOf(device), context.pulse, (entry) => send(context, entry));
  },
  internal_find_inode({ device, inode }, context) {
    checkInode(inode);
    walkFileSystem(deviceOf(device), context.pulse, (entry) => {
      if (entry.inode === inode) send(context, entry);
    });
  },
};
