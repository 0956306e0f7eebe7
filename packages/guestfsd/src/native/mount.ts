import koffi from "koffi";
import { borrowedCString, TextPlace } from "./c-string.ts";
import { check } from "./system-error.ts";

const libc = koffi.load("libc.so.6");

export const MS_RDONLY = 1;
export const MS_REMOUNT = 32;
export const MS_BIND = 4096;
export const MS_REC = 16384;
export const MS_PRIVATE = 262144;
export const MNT_FORCE = 1;
export const MNT_DETACH = 2;

type Text = Uint8Array | null;
const mountC = libc.func("mount", "int", ["void*", "void*", "void*", "ulong", "void*"]) as (
  source: Text,
  target: Text,
  type: Text,
  flags: number,
  data: Text,
) => number;
const umountC = libc.func("umount2", "int", ["void*", "int"]) as (target: Text, flags: number) => number;

const texts = { source: new TextPlace(), target: new TextPlace(), type: new TextPlace(), data: new TextPlace() };

/** mount(2). */
export function mount(source: string, target: string, type: string, flags: number, data: string): void {
  check(
    mountC(
      texts.source.cString(source),
      texts.target.cString(target),
      texts.type.cString(type),
      flags,
      texts.data.cString(data),
    ),
    "mount",
  );
}

/** umount2(2). */
export function umount(target: string, flags: number): void {
  check(umountC(borrowedCString(target), flags), "umount");
}
