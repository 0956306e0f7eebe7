import koffi from "koffi";
import { cString } from "./c-string.ts";
import { check } from "./system-error.ts";

const libc = koffi.load("libc.so.6");
const swaponC = libc.func("swapon", "int", ["void*", "int"]) as (path: Uint8Array, flags: number) => number;
const swapoffC = libc.func("swapoff", "int", ["void*"]) as (path: Uint8Array) => number;

/** swapon(2). */
export function swapOn(path: string): void {
  check(swaponC(cString(path), 0), "swapon");
}

/** swapoff(2). */
export function swapOff(path: string): void {
  check(swapoffC(cString(path)), "swapoff");
}
