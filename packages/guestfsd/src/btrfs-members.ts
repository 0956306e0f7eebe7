import { closeSync, constants, existsSync, openSync } from "node:fs";
import { encodeText } from "@guestfs/protocol";
import { allBlockDevices } from "./block-device.ts";
import type { Context } from "./context.ts";
import { run } from "./exec.ts";
import { checkLoaded } from "./kernel-filesystem.ts";
import { probeDevice } from "./native/blkid.ts";
import { ioctl } from "./native/file.ts";
import { startVolumes } from "./volume-start.ts";

const BTRFS_IOC_SCAN_DEV = 0x50009404;
const controlNode = "/dev/btrfs-control";
// struct btrfs_ioctl_vol_args: fd, name
const nameOffset = 8;
const argumentsLength = 4096;

/** What udev would do: tells btrfs of all devices of the filesystem on this one, without which it can't be mounted. */
export function registerBtrfsMembers(context: Context, device: string): void {
  startVolumes(context.state);
  const uuid = probeDevice(device)["UUID"];
  const members = allBlockDevices(context).filter((candidate) => {
    try {
      const { TYPE: type, UUID: found } = probeDevice(candidate);
      return type === "btrfs" && found === uuid;
    } catch {
      return false;
    }
  });
  if (members.length < 2) return;
  checkLoaded(context.state, "btrfs");
  if (!existsSync(controlNode)) run(["modprobe", "btrfs"]);
  const control = openSync(controlNode, constants.O_RDWR);
  try {
    for (const member of members) {
      const argument = new Uint8Array(argumentsLength);
      argument.set(encodeText(member).subarray(0, argumentsLength - nameOffset - 1), nameOffset);
      ioctl(control, BTRFS_IOC_SCAN_DEV, argument);
    }
  } finally {
    closeSync(control);
  }
}
