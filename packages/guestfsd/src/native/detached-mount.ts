import koffi from "koffi";
import { closeSync } from "node:fs";
import { cString } from "./c-string.ts";
import { AT_FDCWD } from "./file.ts";
import { check } from "./system-error.ts";

const SYS_move_mount = 429;
const SYS_fsopen = 430;
const SYS_fsconfig = 431;
const SYS_fsmount = 432;
const CLOEXEC = 1;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const MOUNT_ATTR_RDONLY = 1;
const MOVE_MOUNT_F_EMPTY_PATH = 4;

type Text = Uint8Array | null;

interface Calls {
  open(number: number, type: Text, flags: number): number;
  configure(number: number, fd: number, command: number, key: Text, value: Text, aux: number): number;
  mount(number: number, fd: number, flags: number, attributes: number): number;
  move(number: number, fd: number, path: Text, toFd: number, toPath: Text, flags: number): number;
}

let calls: Calls | undefined;

function libc(): Calls {
  if (calls) return calls;
  const library = koffi.load("libc.so.6");
  calls = {
    open: library.func("syscall", "long", ["long", "void*", "uint"]) as Calls["open"],
    configure: library.func("syscall", "long", ["long", "int", "uint", "void*", "void*", "int"]) as Calls["configure"],
    mount: library.func("syscall", "long", ["long", "int", "uint", "uint"]) as Calls["mount"],
    move: library.func("syscall", "long", ["long", "int", "void*", "int", "void*", "uint"]) as Calls["move"],
  };
  return calls;
}

/**
 * Mounts a filesystem that has no place in any tree: fsopen(2), fsconfig(2), fsmount(2).
 * @param options - names and values, the device as `source`; `true` for a flag; `ro` makes the mount read-only too
 * @returns descriptor of its top; closing it unmounts
 * @throws SystemError
 */
export function mountDetached(type: string, options: Readonly<Record<string, string | true>>): number {
  const { open, configure, mount } = libc();
  const context = check(open(SYS_fsopen, cString(type), CLOEXEC), "fsopen");
  try {
    for (const [name, value] of Object.entries(options)) {
      const [command, text] =
        value === true ? ([FSCONFIG_SET_FLAG, null] as const) : ([FSCONFIG_SET_STRING, cString(value)] as const);
      check(configure(SYS_fsconfig, context, command, cString(name), text, 0), "fsconfig");
    }
    check(configure(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, null, null, 0), "fsconfig");
    const attributes = options["ro"] === true ? MOUNT_ATTR_RDONLY : 0;
    return check(mount(SYS_fsmount, context, CLOEXEC, attributes), "fsmount");
  } finally {
    closeSync(context);
  }
}

/** Gives a detached mount a place: move_mount(2). It is unmounted there, and no longer by closing its descriptor. */
export function attachMount(fd: number, folder: string): void {
  check(libc().move(SYS_move_mount, fd, cString(""), AT_FDCWD, cString(folder), MOVE_MOUNT_F_EMPTY_PATH), "move_mount");
}
