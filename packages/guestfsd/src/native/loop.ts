import { closeSync, constants, existsSync, fstatSync, openSync } from "node:fs";
import { DaemonError } from "../daemon-error.ts";
import { run } from "../exec.ts";
import type { Sysroot } from "../sysroot.ts";
import { ioctl, ioctlNumber } from "./file.ts";

// linux/loop.h
const LOOP_CTL_GET_FREE = 0x4c82;
const LOOP_CONFIGURE = 0x4c0a;
const LO_FLAGS_READ_ONLY = 1;
const LO_FLAGS_AUTOCLEAR = 4;
// struct loop_config: fd, block_size, struct loop_info64 (its lo_flags at 52 from its start), 64 reserved
const configLength = 304;
const flagsOffset = 8 + 52;
const triesMax = 16;
const controlNode = "/dev/loop-control";

function configure(file: number, readOnly: boolean): { fd: number; device: string } {
  if (!existsSync(controlNode)) run(["modprobe", "loop"]);
  const control = openSync(controlNode, constants.O_RDWR);
  try {
    for (let tries = 1; ; tries++) {
      const device = `/dev/loop${ioctlNumber(control, LOOP_CTL_GET_FREE, 0)}`;
      const fd = openSync(device, readOnly ? constants.O_RDONLY : constants.O_RDWR);
      const config = new Uint8Array(configLength);
      const view = new DataView(config.buffer);
      view.setUint32(0, file, true);
      view.setUint32(flagsOffset, LO_FLAGS_AUTOCLEAR | (readOnly ? LO_FLAGS_READ_ONLY : 0), true);
      try {
        ioctl(fd, LOOP_CONFIGURE, config);
        return { fd, device };
      } catch (error) {
        closeSync(fd);
        // Another program was quicker.
        if ((error as NodeJS.ErrnoException).code !== "EBUSY" || tries === triesMax) throw error;
      }
    }
  } finally {
    closeSync(control);
  }
}

/** Hands on a loop device for a file of the guest; it goes with its last user (LO_FLAGS_AUTOCLEAR). */
export function withLoopDevice<T>(sysroot: Sysroot, path: string, use: (device: string) => T): T {
  let readOnly = false;
  let file: number;
  try {
    file = sysroot.open(path, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EROFS") throw error;
    readOnly = true;
    file = sysroot.open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  }
  try {
    if (!fstatSync(file).isFile()) throw new DaemonError(`${path}: not a regular file`, "EINVAL");
    const { fd, device } = configure(file, readOnly);
    try {
      return use(device);
    } finally {
      closeSync(fd);
    }
  } finally {
    closeSync(file);
  }
}
