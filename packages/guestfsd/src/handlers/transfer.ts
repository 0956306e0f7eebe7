import { constants, ftruncateSync } from "node:fs";
import { withDeviceOrFile } from "../content.ts";
import type { HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { lseek } from "../native/file.ts";
import { openFileSize, openType } from "../native/stat.ts";

const SEEK_SET = 0;
const SEEK_END = 2;
/** Bytes from which on the page cache costs more than it helps. */
const large = 1024 * 1024;

/** Bytes of a file or device; 0 when that can't be told. */
function sizeOf(fd: number): number {
  const length = openFileSize(fd);
  if (length !== undefined) return length;
  if (openType(fd) !== constants.S_IFBLK) return 0;
  const size = lseek(fd, 0, SEEK_END);
  lseek(fd, 0, SEEK_SET);
  return size;
}

function checkNotNegative(name: string, value: number): void {
  if (value < 0) throw new DaemonError(`${name} is negative`);
}

/** Whole files and devices, or parts of them, in and out. */
export const transfer: HandlersOf<"transfer"> = {
  upload({ remotefilename }, context) {
    withDeviceOrFile(context, remotefilename, constants.O_WRONLY | constants.O_CREAT, (fd) => {
      if (openType(fd) === constants.S_IFREG) ftruncateSync(fd, 0);
      context.input.copyTo(fd);
    });
  },
  upload_offset({ remotefilename, offset }, context) {
    checkNotNegative("offset", offset);
    withDeviceOrFile(context, remotefilename, constants.O_WRONLY | constants.O_CREAT, (fd) => {
      lseek(fd, offset, SEEK_SET);
      context.input.copyTo(fd);
    });
  },
  download({ remotefilename }, context) {
    withDeviceOrFile(context, remotefilename, constants.O_RDONLY, (fd) => {
      const total = sizeOf(fd);
      context.output.copyFrom(fd, {
        direct: total >= large,
        report: (sent) => total > 0 && context.progress(Math.min(sent, total), total),
      });
    });
  },
  download_offset({ remotefilename, offset, size }, context) {
    checkNotNegative("offset", offset);
    checkNotNegative("size", size);
    withDeviceOrFile(context, remotefilename, constants.O_RDONLY, (fd) => {
      const total = sizeOf(fd);
      lseek(fd, offset, SEEK_SET);
      const direct = Math.min(size, total - offset) >= large;
      context.output.copyFrom(fd, { direct, limit: size, report: (sent) => context.progress(sent, size) });
    });
  },
};
