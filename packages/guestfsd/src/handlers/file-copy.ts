import { constants, fstatSync, ftruncateSync, readSync, renameSync } from "node:fs";
import { aboutPath } from "../about-path.ts";
import { blocksOf, withDeviceOrFile, withSource, writeAll } from "../content.ts";
import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { run } from "../exec.ts";
import { lseek, O_DIRECTORY, O_PATH } from "../native/file.ts";
import { descriptorPath, fsPath } from "../sysroot.ts";
import type { Place } from "../sysroot.ts";
import { typeOf } from "./file-test.ts";

const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const blockSize = 1024 * 1024;

/** Where data begin at or after a place; `undefined` when only a hole is left. */
function nextData(fd: number, at: number): number | undefined {
  try {
    return lseek(fd, at, SEEK_DATA);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENXIO") return undefined;
    if (code === "EINVAL") return at;
    throw error;
  }
}

/** Copies all that a descriptor holds into an empty file; holes stay holes. */
function copyContent(from: number, to: number, pulse: () => void): void {
  const stat = fstatSync(from);
  if (!stat.isFile() || stat.size === 0) {
    for (const block of blocksOf(from, pulse, blockSize)) writeAll(to, block);
    return;
  }
  const buffer = Buffer.allocUnsafe(Math.min(blockSize, stat.size));
  for (let data = nextData(from, 0); data !== undefined;) {
    const hole = lseek(from, data, SEEK_HOLE);
    let at = data;
    while (at < hole) {
      const count = readSync(from, buffer, 0, Math.min(buffer.length, hole - at), at);
      if (count === 0) break;
      writeAll(to, buffer.subarray(0, count), at);
      at += count;
      pulse();
    }
    data = at < hole ? undefined : nextData(from, hole);
  }
  ftruncateSync(to, stat.size);
}

/** Where a copy goes: into a folder that is there, under its own name, or to the path itself. */
function targetOf(context: Context, src: string, dest: string): string {
  if (typeOf(context, dest, true) !== constants.S_IFDIR) return dest;
  const name = src.replace(/\/+$/, "").split("/").at(-1) ?? "";
  return `${dest}/${name}`;
}

function copyFile(context: Context, src: string, dest: string): void {
  withSource(context, src, (from) => {
    const stat = fstatSync(from);
    if (stat.isDirectory()) throw new DaemonError(`${src}: Is a directory`, "EISDIR");
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOCTTY | constants.O_NONBLOCK;
    const copy = (to: number): void => {
      const there = fstatSync(to);
      if (there.ino === stat.ino && there.dev === stat.dev)
        throw new DaemonError(`${src} and ${dest} are the same file`, "EINVAL");
      ftruncateSync(to, 0);
      copyContent(from, to, context.pulse);
    };
    aboutPath(dest, () => context.sysroot.withOpen(targetOf(context, src, dest), flags, copy, stat.mode & 0o777));
  });
}

/**
 * cp(1) of a tree. In a folder that exists, whatever is in the way is removed first: written through, a symlink
 * that lies there would lead out of the guest's tree.
 */
function copyTree(context: Context, options: readonly string[], src: string, dest: string): void {
  const { sysroot, pulse } = context;
  if (typeOf(context, src, false) === undefined) throw new DaemonError(`${src}: No such file or directory`, "ENOENT");
  sysroot.withPlace(src, (from) => {
    const copy = (option: string, target: string, fd: number): void => {
      try {
        run(["cp", ...options, option, "--", from.path, target], { inherit: [from.folder, fd], pulse });
      } catch (error) {
        if (!(error instanceof DaemonError)) throw error;
        const message = error.message.replaceAll(from.path, src).replaceAll(target, dest);
        throw new DaemonError(message, error.errno, { cause: error });
      }
    };
    const type = typeOf(context, dest, true);
    if (type === constants.S_IFDIR)
      sysroot.withOpen(dest, O_PATH | O_DIRECTORY, (to) => copy("--remove-destination", descriptorPath(to), to));
    else if (type !== undefined) sysroot.withOpen(dest, O_PATH, (to) => copy("-T", descriptorPath(to), to));
    else if (typeOf(context, dest, false) !== undefined)
      throw new DaemonError(`${dest}: a symlink that leads nowhere is in the way`, "EEXIST");
    else sysroot.withPlace(dest, (to) => copy("-T", to.path, to.folder));
  });
}

function move(context: Context, src: string, dest: string): void {
  if (typeOf(context, src, false) === undefined) throw new DaemonError(`${src}: No such file or directory`, "ENOENT");
  const target = targetOf(context, src, dest);
  const place = (use: (from: Place, to: Place) => void): void =>
    context.sysroot.withPlace(src, (from) =>
      aboutPath(dest, () => context.sysroot.withPlace(target, (to) => use(from, to))),
    );
  place((from, to) => {
    try {
      renameSync(fsPath(from.path), fsPath(to.path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
      run(["mv", "-f", "-T", "--", from.path, to.path], { inherit: [from.folder, to.folder], pulse: context.pulse });
    }
  });
}

type Names = "cp" | "cp_a" | "cp_r" | "dd" | "mv";

/** Copies and moves. */
export const fileCopy: Pick<HandlersOf<"file">, Names> = {
  cp: ({ src, dest }, context) => copyFile(context, src, dest),
  cp_a: ({ src, dest }, context) => copyTree(context, ["-a"], src, dest),
  cp_r: ({ src, dest }, context) => copyTree(context, ["-r", "-P"], src, dest),
  dd({ src, dest }, context) {
    withDeviceOrFile(context, src, constants.O_RDONLY, (from) =>
      aboutPath(dest, () =>
        withDeviceOrFile(context, dest, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, (to) => {
          for (const block of blocksOf(from, context.pulse, blockSize)) writeAll(to, block);
        }),
      ),
    );
  },
  mv: ({ src, dest }, context) => move(context, src, dest),
};
