import { closeSync, constants, fsyncSync, openSync, readFileSync } from "node:fs";
import { arrays, blockName, isWholeDrive, kernelPartitions, mappedDevices, wholeDrives } from "../block-device.ts";
import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { diskLabels } from "../disk-label.ts";
import { listFileSystems } from "../file-system-list.ts";
import * as block from "../native/block.ts";
import { syncPartitions } from "../partition-sync.ts";
import { deviceContent } from "./device-content.ts";

function withDevice<T>(device: string, use: (fd: number) => T, flags: number = constants.O_RDONLY): T {
  const fd = openSync(device, flags | constants.O_NONBLOCK);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** A drive without a medium can't be opened and does not count. */
function hasMedium(name: string): boolean {
  return readFileSync(`/sys/class/block/${name}/size`, "utf8").trim() !== "0" || !name.startsWith("sr");
}

const listDevices = (context: Context): string[] =>
  wholeDrives(context)
    .filter(hasMedium)
    .map((name) => `/dev/${name}`);

/** Block devices: what there is, their settings, their bytes. */
export const device: HandlersOf<"device"> = {
  ...deviceContent,

  list_devices: (_, context) => listDevices(context),
  nr_devices: (_, context) => listDevices(context).length,
  list_partitions: (_, context) =>
    [...wholeDrives(context), ...arrays()].flatMap((drive) =>
      kernelPartitions(drive).map(({ name }) => `/dev/${name}`),
    ),
  list_dm_devices: () => mappedDevices(),
  list_disk_labels: (_, context) => (context.state.options.appliance ? diskLabels() : {}),
  list_filesystems: (_, context) => listFileSystems(context),
  is_whole_device: (args) => isWholeDrive(blockName(args.device)),

  blockdev_getro: (args) => withDevice(args.device, block.isReadOnly),
  blockdev_setro(args) {
    withDevice(args.device, (fd) => block.setReadOnly(fd, true));
  },
  blockdev_setrw(args) {
    withDevice(args.device, (fd) => block.setReadOnly(fd, false));
  },
  blockdev_getss: (args) => withDevice(args.device, block.logicalSectorSize),
  blockdev_getbsz: (args) => withDevice(args.device, block.softBlockSize),
  // The size lasts only as long as the device is open, so there is nothing to do.
  blockdev_setbsz() {},
  blockdev_getsz: (args) => withDevice(args.device, block.deviceSize) / 512,
  blockdev_getsize64: (args) => withDevice(args.device, block.deviceSize),
  blockdev_setra(args) {
    if (args.sectors < 0) throw new DaemonError(`${args.sectors}: read-ahead can't be negative`, "EINVAL");
    withDevice(args.device, (fd) => block.setReadAhead(fd, args.sectors));
  },
  blockdev_flushbufs(args) {
    withDevice(args.device, (fd) => {
      // The ioctl alone does not tell when something could not be written.
      fsyncSync(fd);
      block.flushBuffers(fd);
    });
  },
  blockdev_rereadpt(args) {
    withDevice(args.device, block.rereadPartitions);
    syncPartitions(args.device);
  },
  blkdiscard(args) {
    withDevice(args.device, (fd) => block.discardRange(fd, 0, block.deviceSize(fd)), constants.O_WRONLY);
  },
  blkdiscardzeroes: (args) => withDevice(args.device, block.discardZeroes),
};
