import { chmodSync, chownSync, constants, fstatSync, lchownSync } from "node:fs";
import type { HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { AT_SYMLINK_NOFOLLOW, O_NOFOLLOW, O_PATH, statvfs, utimensat } from "../native/file.ts";
import { statOpen } from "../native/stat.ts";
import { getXattr, listXattrs, setXattr } from "../native/xattr.ts";
import { descriptorPath, fsPath } from "../sysroot.ts";
import { typeOf } from "./file-test.ts";

const UTIME_NOW = 0x3fffffff;
const UTIME_OMIT = 0x3ffffffe;

/** @throws DaemonError when a mode is negative or has bits beside `allowed` */
export function checkMode(mode: number, allowed = 0o7777): void {
  if (mode < 0) throw new DaemonError("the mode is negative");
  if ((mode & ~allowed) !== 0) throw new DaemonError(`the mode 0${mode.toString(8)} has bits that are no permissions`);
}

/** The nanoseconds of utimens: -1 stands for the time it is now, -2 for no change. */
function nanoseconds(value: number): bigint {
  if (value === -1) return BigInt(UTIME_NOW);
  if (value === -2) return BigInt(UTIME_OMIT);
  return BigInt(value);
}

type Names = "chmod" | "chown" | "copy_attributes" | "filesize" | "lchown" | "statns" | "statvfs" | "touch" | "utimens";

/** Size, mode, owner and times. */
export const fileAttribute: Pick<HandlersOf<"file">, Names> = {
  chmod({ mode, path }, context) {
    checkMode(mode, 0x7fffffff);
    context.sysroot.withOpen(path, O_PATH, (fd) => chmodSync(descriptorPath(fd), mode & 0o7777));
  },
  chown({ owner, group, path }, context) {
    context.sysroot.withOpen(path, O_PATH, (fd) => chownSync(descriptorPath(fd), owner, group));
  },
  lchown({ owner, group, path }, context) {
    context.sysroot.withPlace(path, (place) => lchownSync(fsPath(place.path), owner, group));
  },
  copy_attributes({ src, dest, all, mode, xattributes, ownership }, context) {
    context.sysroot.withOpen(src, O_PATH, (from) =>
      context.sysroot.withOpen(dest, O_PATH, (to) => {
        const stat = fstatSync(from);
        const [source, target] = [descriptorPath(from), descriptorPath(to)];
        // A change of owner takes set-user-ID away: the mode comes after it.
        if (all || ownership) chownSync(target, stat.uid, stat.gid);
        if (all || mode) chmodSync(target, stat.mode & 0o7777);
        if (all || xattributes)
          for (const name of listXattrs(source, "follow"))
            setXattr(target, name, getXattr(source, name, "follow"), "follow");
      }),
    );
  },
  filesize: ({ file }, context) => context.sysroot.withOpen(file, O_PATH, (fd) => fstatSync(fd).size),
  statns: ({ path }, context) => context.sysroot.withOpen(path, O_PATH, statOpen),
  statvfs({ path }, context) {
    const values = context.sysroot.withOpen(path, O_PATH, (fd) => statvfs(descriptorPath(fd)));
    const at = (index: number): number => Number(values[index]);
    return {
      bsize: at(0),
      frsize: at(1),
      blocks: at(2),
      bfree: at(3),
      bavail: at(4),
      files: at(5),
      ffree: at(6),
      favail: at(7),
      fsid: BigInt.asIntN(64, values[8] ?? 0n),
      flag: at(9),
      namemax: at(10),
    };
  },
  touch({ path }, context) {
    const type = typeOf(context, path, false);
    if (type !== undefined && type !== constants.S_IFREG)
      throw new DaemonError(`${path}: touch works on regular files only`);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOCTTY | constants.O_NONBLOCK | O_NOFOLLOW;
    const now = BigInt64Array.of(0n, BigInt(UTIME_NOW), 0n, BigInt(UTIME_NOW));
    context.sysroot.withOpen(path, flags, (fd) => utimensat(descriptorPath(fd), now, 0), 0o666);
  },
  utimens({ path, atsecs, atnsecs, mtsecs, mtnsecs }, context) {
    const times = BigInt64Array.of(BigInt(atsecs), nanoseconds(atnsecs), BigInt(mtsecs), nanoseconds(mtnsecs));
    context.sysroot.withPlace(path, (place) => utimensat(place.path, times, AT_SYMLINK_NOFOLLOW));
  },
};
