import { randomUuid } from "../random.ts";
import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { run } from "../exec.ts";
import { findDevice } from "../find-device.ts";
import { wipeForNew } from "../mkfs.ts";
import { swapOff, swapOn } from "../native/swap.ts";

const labelMax = 15;

function makeSwap(device: string, label: string | undefined, uuid: string | undefined): void {
  if (label !== undefined && Buffer.byteLength(label) > labelMax)
    throw new DaemonError(`${label}: a label of swap has at most ${labelMax} bytes`, "EINVAL");
  wipeForNew(device);
  run(["mkswap", "-f", ...(label === undefined ? [] : ["-L", label]), "-U", uuid ?? randomUuid(), "--", device]);
}

/** Files are named by their place on the daemon's side, which the kernel shows in /proc/swaps. */
const place = (context: Context, file: string): string => context.sysroot.outside(file);

/** Swap. */
export const swap: HandlersOf<"swap"> = {
  mkswap({ device, label, uuid }) {
    makeSwap(device, label, uuid);
  },
  mkswap_L({ label, device }) {
    makeSwap(device, label, undefined);
  },
  mkswap_U({ uuid, device }) {
    makeSwap(device, undefined, uuid);
  },
  mkswap_file({ path }, context) {
    run(["mkswap", "-f", "--", place(context, path)]);
  },
  swapon_device({ device }) {
    swapOn(device);
  },
  swapon_file({ file }, context) {
    swapOn(place(context, file));
  },
  swapon_label({ label }, context) {
    swapOn(findDevice(context, "LABEL", label));
  },
  swapon_uuid({ uuid }, context) {
    swapOn(findDevice(context, "UUID", uuid));
  },
  swapoff_device({ device }) {
    swapOff(device);
  },
  swapoff_file({ file }, context) {
    swapOff(place(context, file));
  },
  swapoff_label({ label }, context) {
    swapOff(findDevice(context, "LABEL", label));
  },
  swapoff_uuid({ uuid }, context) {
    swapOff(findDevice(context, "UUID", uuid));
  },
};
