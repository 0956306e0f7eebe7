import koffi from "koffi";
import { closeSync, openSync } from "node:fs";
import { cString } from "./c-string.ts";
import { closeDescriptor } from "./descriptor.ts";
import { AT_FDCWD, O_DIRECTORY, O_PATH } from "./file.ts";
import { mount, MS_RDONLY, MS_REC } from "./mount.ts";
import { changeRoot } from "./root.ts";
import { check } from "./system-error.ts";

const CLONE_FS = 0x200;
const CLONE_NEWNS = 0x20000;
const MS_SLAVE = 1 << 19;
const SYS_open_tree = 428;
const SYS_move_mount = 429;
const SYS_mount_setattr = 442;
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const AT_RECURSIVE = 0x8000;
const MOUNT_ATTR_RDONLY = 1;
const MOUNT_ATTR__ATIME = 0x70;
const MOUNT_ATTR_NOATIME = 0x10;

interface Calls {
  unshare(flags: number): number;
  setns(fd: number, kind: number): number;
  openTree(number: number, directory: number, path: Uint8Array, flags: number): number;
  moveMount(number: number, from: number, fromPath: Uint8Array, to: number, toPath: Uint8Array, flags: number): number;
  mountSetattr(
    number: number,
    directory: number,
    path: Uint8Array,
    flags: number,
    attr: Uint8Array,
    size: number,
  ): number;
}

let calls: Calls | undefined;

function libc(): Calls {
  if (calls) return calls;
  const library = koffi.load("libc.so.6");
  calls = {
    unshare: library.func("unshare", "int", ["int"]) as Calls["unshare"],
    setns: library.func("setns", "int", ["int", "int"]) as Calls["setns"],
    openTree: library.func("syscall", "long", ["long", "int", "void*", "uint"]) as Calls["openTree"],
    moveMount: library.func("syscall", "long", ["long", "int", "void*", "int", "void*", "uint"]) as Calls["moveMount"],
    mountSetattr: library.func("syscall", "long", [
      "long",
      "int",
      "void*",
      "uint",
      "void*",
      "size_t",
    ]) as Calls["mountSetattr"],
  };
  return calls;
}

/** Has this thread's own mounts, which its programs see too, be read-only and without times of access. */
function makeMountsReadOnly(): void {
  const { mountSetattr } = libc();
  const attributes = new BigUint64Array([
    BigInt(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME),
    BigInt(MOUNT_ATTR__ATIME),
    0n,
    0n,
  ]);
  const bytes = new Uint8Array(attributes.buffer);
  check(mountSetattr(SYS_mount_setattr, AT_FDCWD, cString("/"), AT_RECURSIVE, bytes, bytes.length), "mount_setattr");
}

/** Gives this thread, and its programs, mounts of their own, changed by `change`. @returns what undoes it; `undefined` where it can't be done */
function enterMounts(change: () => void): (() => void) | undefined {
  let own: number;
  try {
    own = openSync("/proc/thread-self/ns/mnt", "r");
  } catch {
    return undefined;
  }
  const root = openSync("/", O_PATH | O_DIRECTORY);
  const forget = (): void => {
    closeSync(own);
    closeSync(root);
  };
  const leave = (): void => {
    try {
      check(libc().setns(own, CLONE_NEWNS), "setns");
      // It gives the mounts' first root; a daemon in a chroot(2) had another one.
      changeRoot(root);
    } finally {
      forget();
    }
  };
  if (libc().unshare(CLONE_NEWNS | CLONE_FS) < 0) {
    forget();
    return undefined;
  }
  try {
    // What the machine unmounts goes away here as well; nothing goes the other way.
    mount("none", "/", "", MS_REC | MS_SLAVE, "");
    change();
    return leave;
  } catch {
    leave();
    return undefined;
  }
}

/**
 * Makes every mount of the machine read-only for this thread alone (mount_setattr(2), Linux 5.12 and later, as root).
 * @returns what undoes it; `undefined` where it can't be done
 */
export function enterReadOnlyMounts(): (() => void) | undefined {
  return enterMounts(makeMountsReadOnly);
}

/** Does something to all mounts but those of a folder. */
function keepWritable(folder: string, change: () => void): void {
  const { openTree, moveMount } = libc();
  const path = cString(folder);
  const clone = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
  const tree = check(openTree(SYS_open_tree, AT_FDCWD, path, clone), "open_tree");
  try {
    change();
    check(moveMount(SYS_move_mount, tree, cString(""), AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH), "move_mount");
  } finally {
    closeDescriptor(tree);
  }
}

/**
 * Does something during which this thread and its programs can write below one folder only, whatever symlinks lie there
 * (Linux 5.12 and later, as root; elsewhere it is just done).
 * @param folder - canonical path
 * @param open - opens what the work is on; the descriptor is closed afterwards
 */
export function writingBelow<T>(folder: string, open: () => number, work: (fd: number) => T): T {
  const leave = enterMounts(() => keepWritable(folder, makeMountsReadOnly));
  try {
    const fd = open();
    try {
      // Through the folders of other processes there, their mounts can be reached.
      if (leave) mount("none", "/proc", "tmpfs", MS_RDONLY, "");
      return work(fd);
    } finally {
      closeDescriptor(fd);
    }
  } finally {
    leave?.();
  }
}
