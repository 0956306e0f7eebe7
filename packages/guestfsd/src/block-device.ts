import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { DaemonState } from "./daemon-state.ts";
import { DaemonError } from "./daemon-error.ts";
import { userDrives } from "./device.ts";
import { logicalVolumeName, mapperDevice } from "./device-mapper.ts";

// Drives of a machine in which the daemon runs live; the appliance has its own order.
const wholeDrive = /^(?:(?:sd|hd|vd|xvd|ubd)[a-z]+|nvme\d+n\d+|mmcblk\d+)$/;

/** Major and minor of a device's node, as sysfs writes them. */
export function deviceNumber(rdev: number): string {
  // Linux's encoding, see makedev(3).
  return `${(rdev >>> 8) & 0xfff}:${(rdev & 0xff) | ((rdev >>> 12) & 0xfff00)}`;
}

/** The kernel's name of a block device: `sda1`, `dm-0`. */
export function blockName(device: string): string {
  const stat = statSync(device);
  if (!stat.isBlockDevice()) throw new DaemonError(`${device}: not a block device`, "ENOTBLK");
  return basename(readlinkSync(`/sys/dev/block/${deviceNumber(stat.rdev)}`));
}

/** Names in the order of people: `sda2` before `sda10`, `sdz` before `sdaa`. */
export function compareNames(a: string, b: string): number {
  const [, lettersA = "", digitsA = ""] = /^(.*?)(\d*)$/.exec(a) ?? [];
  const [, lettersB = "", digitsB = ""] = /^(.*?)(\d*)$/.exec(b) ?? [];
  if (lettersA.length !== lettersB.length) return lettersA.length - lettersB.length;
  if (lettersA !== lettersB) return lettersA < lettersB ? -1 : 1;
  return Number(digitsA) - Number(digitsB);
}

/** The whole drives, by the kernel's names: in the appliance those that the user added, in that order. */
export function wholeDrives(context: { readonly state: DaemonState }): readonly string[] {
  if (context.state.options.appliance) return userDrives();
  return readdirSync("/sys/block")
    .filter((name) => wholeDrive.test(name))
    .toSorted(compareNames);
}

/** A partition that the kernel knows. */
export interface KernelPartition {
  readonly name: string;
  readonly number: number;
  /** in bytes */
  readonly start: number;
  /** in bytes; the kernel shows 1 KiB of an extended partition */
  readonly size: number;
}

function attribute(block: string, name: string): number {
  return Number(readFileSync(`/sys/class/block/${block}/${name}`, "utf8"));
}

/** The names of the partitions that the kernel knows on a drive, in no order: nothing else in its folder is called like it. */
export function partitionNames(block: string): string[] {
  return readdirSync(`/sys/class/block/${block}`).filter((name) => name.startsWith(block));
}

/** The partitions that the kernel knows on a drive, by number. */
export function kernelPartitions(block: string): KernelPartition[] {
  return partitionNames(block)
    .map((name) => ({
      name,
      number: attribute(name, "partition"),
      start: attribute(name, "start") * 512,
      size: attribute(name, "size") * 512,
    }))
    .toSorted((a, b) => a.number - b.number);
}

/** Whether it is a drive: something with hardware, or what stands for it, behind it. Partitions, mapped and loop devices and arrays are none. */
export function isWholeDrive(block: string): boolean {
  return existsSync(`/sys/block/${block}/device`);
}

/** The devices of the device mapper that have no better name, `/dev/mapper/NAME`: all but those of LVM. */
export function mappedDevices(): string[] {
  return readdirSync("/sys/block")
    .filter((name) => /^dm-\d+$/.test(name))
    .filter((name) => !readFileSync(`/sys/block/${name}/dm/uuid`, "utf8").startsWith("LVM-"))
    .map((name) => `/dev/mapper/${readFileSync(`/sys/block/${name}/dm/name`, "utf8").trimEnd()}`)
    .toSorted();
}

/** Running md arrays, by the kernel's names. */
export function arrays(): string[] {
  return readdirSync("/sys/block")
    .filter((name) => /^md\d+$/.test(name) && existsSync(`/sys/block/${name}/md`))
    .filter((name) => readFileSync(`/sys/block/${name}/size`, "utf8").trim() !== "0")
    .toSorted(compareNames);
}

/** Drive and number of a partition, `undefined` for anything else. */
export function partitionParent(device: string): { drive: string; number: number } | undefined {
  const name = blockName(device);
  if (!existsSync(`/sys/class/block/${name}/partition`)) return undefined;
  return { drive: basename(dirname(realpathSync(`/sys/class/block/${name}`))), number: attribute(name, "partition") };
}

/** Every device of the user's that may hold something: drives, partitions, arrays with theirs, mapped devices. */
export function allBlockDevices(context: { readonly state: DaemonState }): string[] {
  const drives = [...wholeDrives(context), ...arrays()];
  const mapped = readdirSync("/sys/block")
    .filter((name) => /^dm-\d+$/.test(name))
    .toSorted(compareNames);
  return [...drives.flatMap((drive) => [drive, ...kernelPartitions(drive).map(({ name }) => name)]), ...mapped].map(
    (name) => publicName(`/dev/${name}`),
  );
}

/** The name by which people know a mapped device: `/dev/VG/LV`, `/dev/mapper/NAME`; others stay. */
export function publicName(device: string): string {
  if (!/^\/dev\/(?:dm-\d+$|mapper\/)/.test(device)) return device;
  const mapped = mapperDevice(device);
  if (!mapped) return device;
  return logicalVolumeName(mapped) ?? `/dev/mapper/${mapped.name}`;
}
