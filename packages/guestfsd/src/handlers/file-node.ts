import { randomBytes } from "../random.ts";
import {
  closeSync,
  constants,
  linkSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { decodeText } from "@guestfs/protocol";
import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { mknod, O_NOFOLLOW } from "../native/file.ts";
import { fsPath } from "../sysroot.ts";
import type { Place } from "../sysroot.ts";
import { checkMode } from "./file-attribute.ts";
import { typeOf } from "./file-test.ts";

const letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const attempts = 100;

/** Tries names made of a template that ends in `XXXXXX` until one can be made. */
function makeTemporary(template: string, suffix: string, make: (path: string) => void): string {
  if (!template.endsWith("XXXXXX")) throw new DaemonError(`${template}: the template must end in XXXXXX`, "EINVAL");
  for (let attempt = 0; ; attempt++) {
    const random = Array.from(randomBytes(6), (byte) => letters[byte % letters.length]).join("");
    const path = template.slice(0, -6) + random + suffix;
    try {
      make(path);
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || attempt === attempts) throw error;
    }
  }
}

/** The C library's `dev_t`. */
function makeDevice(major: number, minor: number): bigint {
  if (major < 0 || minor < 0) throw new DaemonError("a device number is negative", "EINVAL");
  const [high, low] = [BigInt(major), BigInt(minor)];
  return (low & 0xffn) | ((high & 0xfffn) << 8n) | ((low & ~0xffn) << 12n) | ((high & ~0xfffn) << 32n);
}

function makeNode(context: Context, path: string, mode: number, device: bigint): void {
  context.sysroot.withPlace(path, (place) => mknod(place.path, mode, device));
}

/** Puts something made under another name in the place of what is there, in one step. */
function replace(place: Place, make: (path: string | Buffer) => void): void {
  const scratch = makeTemporary(`${place.path.slice(0, place.path.lastIndexOf("/") + 1)}.guestfs-XXXXXX`, "", make);
  try {
    renameSync(scratch, fsPath(place.path));
  } catch (error) {
    unlinkSync(scratch);
    throw error;
  }
}

/** Where a link goes: into a folder that is there, under the target's name, as ln(1) has it. */
function linkPath(context: Context, target: string, linkname: string): string {
  if (typeOf(context, linkname, true) !== constants.S_IFDIR) return linkname;
  return `${linkname}/${target.replace(/\/+$/, "").split("/").at(-1) ?? ""}`;
}

function isFolder(path: string | Buffer): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function makeLink(context: Context, target: string, linkname: string, force: boolean): void {
  const from = target.startsWith("/") ? target : `/${target}`;
  if (typeOf(context, from, false) === undefined)
    throw new DaemonError(`${target}: No such file or directory`, "ENOENT");
  context.sysroot.withPlace(from, (old) =>
    context.sysroot.withPlace(linkname, (place) => {
      const [source, link] = [fsPath(old.path), fsPath(place.path)];
      try {
        linkSync(source, link);
      } catch (error) {
        if (!force || (error as NodeJS.ErrnoException).code !== "EEXIST" || isFolder(link)) throw error;
        const [a, b] = [lstatSync(source), lstatSync(link)];
        if (a.ino === b.ino && a.dev === b.dev) return;
        replace(place, (scratch) => linkSync(source, scratch));
      }
    }),
  );
}

function makeSymlink(context: Context, target: string, linkname: string, force: boolean): void {
  context.sysroot.withPlace(linkPath(context, target, linkname), (place) => {
    const link = fsPath(place.path);
    try {
      symlinkSync(fsPath(target), link);
    } catch (error) {
      if (!force || (error as NodeJS.ErrnoException).code !== "EEXIST" || isFolder(link)) throw error;
      replace(place, (scratch) => symlinkSync(fsPath(target), scratch));
    }
  });
}

type Names =
  | "ln"
  | "ln_f"
  | "ln_s"
  | "ln_sf"
  | "mkdtemp"
  | "mkfifo"
  | "mknod"
  | "mknod_b"
  | "mknod_c"
  | "mktemp"
  | "readlink"
  | "realpath"
  | "rename"
  | "rm"
  | "rm_f";

/** Names: links, nodes, temporary ones, renaming and removing. */
export const fileNode: Pick<HandlersOf<"file">, Names> = {
  ln: ({ target, linkname }, context) => makeLink(context, target, linkname, false),
  ln_f: ({ target, linkname }, context) => makeLink(context, target, linkname, true),
  ln_s: ({ target, linkname }, context) => makeSymlink(context, target, linkname, false),
  ln_sf: ({ target, linkname }, context) => makeSymlink(context, target, linkname, true),
  mkdtemp: ({ tmpl }, context) =>
    makeTemporary(tmpl, "", (path) => context.sysroot.withPlace(path, (place) => mkdirSync(fsPath(place.path), 0o700))),
  mktemp({ tmpl, suffix }, context) {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | O_NOFOLLOW;
    return makeTemporary(tmpl, suffix ?? "", (path) => closeSync(context.sysroot.open(path, flags, 0o600)));
  },
  mkfifo({ mode, path }, context) {
    checkMode(mode);
    makeNode(context, path, mode | constants.S_IFIFO, 0n);
  },
  mknod({ mode, devmajor, devminor, path }, context) {
    checkMode(mode, 0o177777);
    makeNode(context, path, mode, makeDevice(devmajor, devminor));
  },
  mknod_b({ mode, devmajor, devminor, path }, context) {
    checkMode(mode);
    makeNode(context, path, mode | constants.S_IFBLK, makeDevice(devmajor, devminor));
  },
  mknod_c({ mode, devmajor, devminor, path }, context) {
    checkMode(mode);
    makeNode(context, path, mode | constants.S_IFCHR, makeDevice(devmajor, devminor));
  },
  readlink: ({ path }, context) =>
    context.sysroot.withPlace(path, (place) => decodeText(readlinkSync(fsPath(place.path), { encoding: "buffer" }))),
  realpath: ({ path }, context) => context.sysroot.realpath(path),
  rename({ oldpath, newpath }, context) {
    context.sysroot.withPlace(oldpath, (from) =>
      context.sysroot.withPlace(newpath, (to) => renameSync(fsPath(from.path), fsPath(to.path))),
    );
  },
  rm({ path }, context) {
    context.sysroot.withPlace(path, (place) => unlinkSync(fsPath(place.path)));
  },
  rm_f({ path }, context) {
    try {
      context.sysroot.withPlace(path, (place) => unlinkSync(fsPath(place.path)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  },
};
