import { statSync } from "node:fs";
import { btrfs } from "../btrfs.ts";
import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { isBlockDevice, parseMountable } from "../device.ts";
import { run } from "../exec.ts";
import { guestMounts, isMountOf } from "../mount-table.ts";
import { probeType } from "../native/blkid.ts";
import { runTool } from "../tool.ts";
import { readXfsGeometry } from "../xfs-geometry.ts";

type CheckCalls =
  | Extract<keyof HandlersOf<"filesystem">, `e2fsck${string}` | `resize2fs${string}` | `tune2fs${string}`>
  | "fsck"
  | "vfs_minimum_size"
  | "zerofree";
type Tune2fs = Parameters<HandlersOf<"filesystem">["tune2fs"]>[0];

// e2fsck(8): 1 says that errors were corrected.
const corrected = [0, 1];

function checkOne(options: Readonly<Record<string, boolean | undefined>>): void {
  const given = Object.keys(options).filter((name) => options[name]);
  if (given.length > 1) throw new DaemonError(`only one of ${given.join(", ")} can be given`, "EINVAL");
}

function tune2fsArguments(args: Tune2fs): string[] {
  const argv = args.force ? ["-f"] : [];
  const number = (value: number | undefined, option: string, least: number, unit = ""): void => {
    if (value === undefined) return;
    if (value < least) throw new DaemonError(`${value}: must be ${least} or more`, "EINVAL");
    argv.push(option, `${value}${unit}`);
  };
  number(args.maxmountcount, "-c", 0);
  number(args.mountcount, "-C", 0);
  if (args.errorbehavior !== undefined) {
    if (!["continue", "remount-ro", "panic"].includes(args.errorbehavior))
      throw new DaemonError(`${args.errorbehavior}: one of continue, remount-ro and panic is wanted`, "EINVAL");
    argv.push("-e", args.errorbehavior);
  }
  number(args.group, "-g", 0);
  number(args.intervalbetweenchecks, "-i", 0, "s");
  number(args.reservedblockspercentage, "-m", 0);
  if (args.lastmounteddirectory !== undefined) argv.push("-M", args.lastmounteddirectory);
  number(args.reservedblockscount, "-r", 0);
  number(args.user, "-u", 0);
  return argv;
}

/** Reads what `tune2fs -l` prints: lines of a name, a colon and a value. What stands for nothing becomes empty. */
export function parseSuperblock(text: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon < 0) continue;
    const value = line.slice(colon + 1).trim();
    fields[line.slice(0, colon)] = value === "<none>" || value === "<not available>" ? "" : value;
  }
  return fields;
}

function numberIn(text: string, pattern: RegExp, what: string): number {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new DaemonError(`the ${what} can't be understood: ${text.slice(0, 200)}`);
  return Number(found);
}

function mountedAt(context: Context, device: string): string {
  const target = guestMounts(context.state).findLast((entry) => isMountOf(entry, device))?.target;
  if (target === undefined) throw new DaemonError(`${device}: it must be mounted for this`, "EINVAL");
  return target;
}

function minimumSize(context: Context, device: string): number {
  const { pulse } = context;
  const type = probeType(device);
  if (/^ext[234]$/.test(type)) {
    const blocks = numberIn(
      run(["resize2fs", "-P", "-f", device], { pulse }).stdout.toString("utf8"),
      /: (\d+)\s*$/,
      "answer of resize2fs",
    );
    const fields = parseSuperblock(run(["tune2fs", "-l", device]).stdout.toString("utf8"));
    return blocks * Number(fields["Block size"]);
  }
  if (type === "ntfs") {
    const text = runTool(["ntfsresize", "--info", "-ff", "-P", device], { pulse }).stdout.toString("utf8");
    return numberIn(text, /You might resize at (\d+) bytes/, "answer of ntfsresize");
  }
  if (type === "btrfs") {
    const text = btrfs(["inspect-internal", "min-dev-size", "--", mountedAt(context, device)]);
    return numberIn(text, /^(\d+) bytes/, "answer of btrfs");
  }
  if (type === "xfs") {
    // It can't shrink.
    const geometry = readXfsGeometry(mountedAt(context, device));
    return Number(geometry["data.blocks"]) * Number(geometry["data.bsize"]);
  }
  throw new DaemonError(`${device}: the least size of a filesystem of the type '${type}' is not known`, "ENOTSUP");
}

/** Checks, repairs, parameters and sizes. */
export const filesystemCheck: Pick<HandlersOf<"filesystem">, CheckCalls> = {
  e2fsck({ device, correct, forceall, forceno }, context) {
    checkOne({ correct, forceall, forceno });
    const answer = [...(correct ? ["-p"] : []), ...(forceall ? ["-y"] : []), ...(forceno ? ["-n"] : [])];
    // With no way to ask, the answer must be given; without one nothing is changed that needs it.
    runTool(["e2fsck", "-f", ...answer, "--", device], { accept: corrected, pulse: context.pulse });
  },
  e2fsck_f({ device }, context) {
    runTool(["e2fsck", "-p", "-f", "--", device], { accept: corrected, pulse: context.pulse });
  },
  fsck({ fstype, device }, context) {
    if (!/^[\w.+-]+$/.test(fstype)) throw new DaemonError(`${fstype}: no type of filesystem`, "EINVAL");
    // fsck(8) hands what stands behind "--" to the filesystem's own program, and would have no device left to check.
    return run(["fsck", "-a", "-t", fstype, device], { accept: "any", pulse: context.pulse }).status;
  },
  tune2fs(args) {
    run(["tune2fs", ...tune2fsArguments(args), "--", args.device]);
  },
  tune2fs_l: ({ device }) => parseSuperblock(run(["tune2fs", "-l", "--", device]).stdout.toString("utf8")),
  resize2fs({ device }, context) {
    runTool(["resize2fs", "--", device], { pulse: context.pulse });
  },
  resize2fs_M({ device }, context) {
    runTool(["resize2fs", "-M", "--", device], { pulse: context.pulse });
  },
  resize2fs_size({ device, size }, context) {
    if (size < 0) throw new DaemonError(`${size}: a size can't be negative`, "EINVAL");
    if (size % 1024 !== 0) throw new DaemonError(`${size}: the size must be a whole number of kilobytes`, "EINVAL");
    runTool(["resize2fs", "--", device, `${size / 1024}K`], { pulse: context.pulse });
  },
  vfs_minimum_size: ({ mountable }, context) => minimumSize(context, parseMountable(mountable, isBlockDevice).device),
  zerofree({ device }, context) {
    if (!statSync(device).isBlockDevice()) throw new DaemonError(`${device}: not a block device`, "ENOTBLK");
    runTool(["zerofree", device], { pulse: context.pulse });
  },
};
