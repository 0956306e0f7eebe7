import koffi from "koffi";
import { cString } from "./c-string.ts";
import { closeDescriptor } from "./descriptor.ts";
import { openFolder } from "./file.ts";
import { check } from "./system-error.ts";

const libc = koffi.load("libc.so.6");
const chrootC = libc.func("chroot", "int", ["void*"]) as (path: Uint8Array) => number;
const fchdirC = libc.func("fchdir", "int", ["int"]) as (fd: number) => number;
const here = cString(".");

/** Makes a folder the root and the working folder. */
export function changeRoot(root: number): void {
  check(fchdirC(root), "fchdir");
  check(chrootC(here), "chroot");
}

/**
 * Does one thing with another folder as the process's root, as a child that is started then keeps it.
 * The way back is the old root, held open. Nothing but system calls may happen inside.
 * @param root - descriptor of the folder
 */
export function insideRoot<T>(root: number, action: () => T): T {
  const outside = openFolder("/");
  try {
    check(fchdirC(root), "fchdir");
    try {
      check(chrootC(here), "chroot");
      return action();
    } finally {
      changeRoot(outside);
    }
  } finally {
    closeDescriptor(outside);
  }
}
