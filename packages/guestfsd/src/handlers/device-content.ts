import { closeSync, constants, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { blocksOf } from "../content.ts";
import { copyData, isZero } from "../copy-data.ts";
import type { CopyEnd } from "../copy-data.ts";
import type { HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { run } from "../exec.ts";
import * as block from "../native/block.ts";
import { checksumOf } from "./checksum.ts";

type Content = Pick<
  HandlersOf<"device">,
  | "checksum_device"
  | "copy_device_to_device"
  | "copy_device_to_file"
  | "copy_file_to_device"
  | "copy_file_to_file"
  | "copy_size"
  | "is_zero_device"
  | "pread_device"
  | "pwrite_device"
  | "scrub_device"
  | "zero_device"
>;

const blockSize = 1024 * 1024;
const zeroStep = 64 * 1024 * 1024;
const replyMax = 4 * 1024 * 1024;

function withOpen<T>(device: string, flags: number, use: (fd: number) => T): T {
  const fd = openSync(device, flags | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

function zeroStepwise(fd: number, size: number, start: number, report: (done: number) => void): number {
  let at = start;
  try {
    for (; at < size; at += zeroStep) {
      block.zeroRange(fd, at, Math.min(zeroStep, size - at));
      report(Math.min(at + zeroStep, size));
    }
  } catch (error) {
    // Sizes that are no multiple of a sector are refused; the rest is written.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EINVAL" && code !== "ENOTSUP") throw error;
  }
  return Math.min(at, size);
}

const deviceEnd = (path: string): CopyEnd => ({ path, isDevice: true });
const fileEnd = (path: string): CopyEnd => ({ path, isDevice: false });
const eitherEnd = (path: string): CopyEnd => ({ path, isDevice: path.startsWith("/dev/") });

/** The bytes of block devices. */
export const deviceContent: Content = {
  checksum_device: ({ csumtype, device }, context) =>
    withOpen(device, constants.O_RDONLY, (fd) => checksumOf(csumtype, fd, context.pulse)),
  copy_device_to_device({ src, dest, ...options }, context) {
    copyData(context, deviceEnd(src), deviceEnd(dest), options);
  },
  copy_device_to_file({ src, dest, ...options }, context) {
    copyData(context, deviceEnd(src), fileEnd(dest), options);
  },
  copy_file_to_device({ src, dest, ...options }, context) {
    copyData(context, fileEnd(src), deviceEnd(dest), options);
  },
  copy_file_to_file({ src, dest, ...options }, context) {
    copyData(context, fileEnd(src), fileEnd(dest), options);
  },
  copy_size({ src, dest, size }, context) {
    copyData(context, eitherEnd(src), eitherEnd(dest), { size });
  },
  is_zero_device: ({ device }, context) =>
    withOpen(device, constants.O_RDONLY, (fd) => {
      for (const data of blocksOf(fd, context.pulse, blockSize)) if (!isZero(data)) return false;
      return true;
    }),
  pread_device({ device, count, offset }) {
    if (count < 0) throw new DaemonError(`${count}: a count can't be negative`, "EINVAL");
    if (offset < 0) throw new DaemonError(`${offset}: an offset can't be negative`, "EINVAL");
    if (count >= replyMax) throw new DaemonError(`${count} bytes are more than one message holds`, "EFBIG");
    const data = Buffer.alloc(count);
    return data.subarray(
      0,
      withOpen(device, constants.O_RDONLY, (fd) => readSync(fd, data, 0, count, offset)),
    );
  },
  pwrite_device({ device, content, offset }) {
    if (offset < 0) throw new DaemonError(`${offset}: an offset can't be negative`, "EINVAL");
    return withOpen(device, constants.O_WRONLY, (fd) => writeSync(fd, content, 0, content.length, offset));
  },
  scrub_device({ device }, context) {
    run(["scrub", "--", device], { pulse: context.pulse });
  },
  zero_device({ device }, context) {
    withOpen(device, constants.O_WRONLY, (fd) => {
      const size = block.deviceSize(fd);
      const zeros = Buffer.alloc(blockSize);
      for (let at = zeroStepwise(fd, size, 0, (done) => context.progress(done, size)); at < size;) {
        at += writeSync(fd, zeros, 0, Math.min(blockSize, size - at), at);
        context.progress(at, size);
      }
      fsyncSync(fd);
    });
  },
};
