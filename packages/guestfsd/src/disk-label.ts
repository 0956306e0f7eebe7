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

/** The labels that drives were added with, and for each partition its drive's label with its number, to the kernel's devices. */
export function diskLabels(): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const drive of userDrives()) {
    const label = serialOf(drive);
    if (label === "") continue;
    labels[label] = `/dev/${drive}`;
    for (const { name, number } of kernelPartitions(drive)) labels[`${label}${number}`] = `/dev/${name}`;
  }
  return labels;
}

const labelFolder = "/dev/disk/guestfs/";

/** The kernel's device behind `/dev/disk/guestfs/LABEL`, which without udevd is only a name; others stay. */
export function resolveLabel(path: string): string {
  if (!path.startsWith(labelFolder) || existsSync(path)) return path;
  const name = path.slice(labelFolder.length);
  // Not by way of diskLabels: with two hundred drives, their partitions are what takes long.
  const drives = userDrives().map((drive) => ({ drive, label: serialOf(drive) }));
  const whole = drives.find(({ label }) => label === name);
  if (whole !== undefined) return `/dev/${whole.drive}`;
  for (const { drive, label } of drives.filter((each) => each.label !== "" && name.startsWith(each.label))) {
    const part = kernelPartitions(drive).find(({ number }) => `${label}${number}` === name);
    if (part !== undefined) return `/dev/${part.name}`;
  }
  return path;
}
