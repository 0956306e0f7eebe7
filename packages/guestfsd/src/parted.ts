import { partitionParent } from "./block-device.ts";
import { DaemonError } from "./daemon-error.ts";
import { run } from "./exec.ts";
import { syncPartitions } from "./partition-sync.ts";

/** Where parted(8) says that the table is written but the kernel did not take it: {@link syncPartitions} sees to that. */
const kernelTrouble = /inform(?:ing)? the kernel/i;

/** Its own words, without those about alignment, which nobody can act on here. */
function complaint(output: string): string {
  return output
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("Warning: The resulting partition is not properly aligned"))
    .join("\n");
}

/** Runs a command of parted(8) that changes a table. Each word must be one word for parted's own reader too. */
export function parted(device: string, ...words: string[]): void {
  if (partitionParent(device))
    throw new DaemonError(`${device}: a partition table belongs on a whole disk, and this is a partition`, "EINVAL");
  const { status, stdout, stderr } = run(["parted", "-s", "--", device, ...words], { accept: "any" });
  if (status !== 0 && !kernelTrouble.test(stderr))
    throw new DaemonError(`${device}: ${complaint(stderr || stdout.toString("utf8"))}`, "EINVAL");
  syncPartitions(device);
}

/** A line that parted(8) prints of a partition. */
export interface PartedPartition {
  readonly number: number;
  readonly start: number;
  readonly end: number;
  readonly size: number;
  readonly name: string;
  readonly flags: readonly string[];
}

/** A table as parted(8) reads it. */
export interface PartedTable {
  /** `loop`: none, but a filesystem */
  readonly type: string;
  readonly partitions: readonly PartedPartition[];
}

/**
 * A table as parted(8) reads it, for the kinds that libblkid does not know. Sizes in bytes.
 * @throws DaemonError (EINVAL) when there is none
 */
export function readWithParted(device: string): PartedTable {
  const { status, stdout, stderr } = run(["parted", "-m", "-s", "--", device, "unit", "b", "print"], { accept: "any" });
  const lines = stdout.toString("utf8").split(/;\n/);
  if (status !== 0) throw new DaemonError(`${device}: ${complaint(stderr || stdout.toString("utf8"))}`, "EINVAL");
  // BYT; then path:size:transport:sector:sector:type:model:flags; then one line a partition.
  const type = /^.*:\d+B:[^:]*:\d+:\d+:([a-z0-9]+):/m.exec(lines.join("\n"))?.[1];
  if (type === undefined) throw new DaemonError(`${device}: parted's output can't be understood`);
  const partitions = lines.flatMap((line) => {
    const match = /^(\d+):(\d+)B:(\d+)B:(\d+)B:[^:]*:(.*):([^:]*)$/.exec(line.trim());
    if (!match) return [];
    const [, number, start, end, size, name, flags] = match;
    return {
      number: Number(number),
      start: Number(start),
      end: Number(end),
      size: Number(size),
      name: name ?? "",
      flags: (flags ?? "").split(/, */),
    };
  });
  return { type, partitions };
}
