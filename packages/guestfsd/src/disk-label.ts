import { existsSync, readFileSync } from "node:fs";
import { kernelPartitions } from "./block-device.ts";
import { userDrives } from "./device.ts";

// Page 80h of a SCSI disk's vital product data: four bytes, of which the last is the length, then the serial number.
const headerLength = 4;

/** The serial number of a SCSI drive, which the host made the drive's label. */
function serialOf(drive: string): string {
  try {
    const page = readFileSync(`/sys/block/${drive}/device/vpd_pg80`);
    return page
      .subarray(headerLength, headerLength + page.readUInt16BE(2))
      .toString("latin1")
      .trim();
  } catch {
    return "";
  }
}

interface LabelledDrive {
  /** as the kernel calls it */
  readonly drive: string;
  readonly label: string;
}

function labelledDrives(): LabelledDrive[] {
  return userDrives()
    .map((drive) => ({ drive, label: serialOf(drive) }))
    .filter(({ label }) => label !== "");
}

/** Each partition's drive's label with its number, and the kernel's device. */
function partitionLabels({ drive, label }: LabelledDrive): [label: string, device: string][] {
  return kernelPartitions(drive).map(({ name, number }) => [`${label}${number}`, `/dev/${name}`]);
}

/** The labels that drives were added with, and for each partition its drive's label with its number, to the kernel's devices. */
export function diskLabels(): Record<string, string> {
  return Object.fromEntries(
    labelledDrives().flatMap((each) => [[each.label, `/dev/${each.drive}`], ...partitionLabels(each)]),
  );
}

const labelFolder = "/dev/disk/guestfs/";

/** The kernel's device behind `/dev/disk/guestfs/LABEL`, which without udevd is only a name; others stay. */
export function resolveLabel(path: string): string {
  if (!path.startsWith(labelFolder) || existsSync(path)) return path;
  const name = path.slice(labelFolder.length);
  const drives = labelledDrives();
  const whole = drives.find(({ label }) => label === name);
  if (whole) return `/dev/${whole.drive}`;
  // With two hundred drives, their partitions are what takes long.
  const near = drives.filter(({ label }) => name.startsWith(label)).flatMap(partitionLabels);
  return near.find(([label]) => label === name)?.[1] ?? path;
}
