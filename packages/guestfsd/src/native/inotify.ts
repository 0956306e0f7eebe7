import koffi from "koffi";
import { cString } from "./c-string.ts";
import { check } from "./system-error.ts";

const libc = koffi.load("libc.so.6");
const IN_NONBLOCK = 0o4000;
const IN_CLOEXEC = 0o2000000;
const init = libc.func("inotify_init1", "int", ["int"]) as (flags: number) => number;
const add = libc.func("inotify_add_watch", "int", ["int", "void*", "uint"]) as (
  fd: number,
  path: Uint8Array,
  mask: number,
) => number;
const remove = libc.func("inotify_rm_watch", "int", ["int", "int"]) as (fd: number, watch: number) => number;

/** inotify_init1(2): reads of the descriptor never wait. */
export function openInotify(): number {
  return check(init(IN_NONBLOCK | IN_CLOEXEC), "inotify_init1");
}

/** inotify_add_watch(2). */
export function addWatch(fd: number, path: string, mask: number): number {
  return check(add(fd, cString(path), mask), "inotify_add_watch");
}

/** inotify_rm_watch(2). */
export function removeWatch(fd: number, watch: number): void {
  check(remove(fd, watch), "inotify_rm_watch");
}
