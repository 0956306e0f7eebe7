import { decodeText } from "@guestfs/protocol";
import koffi from "koffi";
import { cString } from "./c-string.ts";
import { check } from "./system-error.ts";

const libc = koffi.load("libc.so.6");
type Path = Uint8Array;
const lgetC = libc.func("lgetxattr", "long", ["void*", "void*", "void*", "size_t"]) as GetFunction;
const getC = libc.func("getxattr", "long", ["void*", "void*", "void*", "size_t"]) as GetFunction;
const llistC = libc.func("llistxattr", "long", ["void*", "void*", "size_t"]) as ListFunction;
const listC = libc.func("listxattr", "long", ["void*", "void*", "size_t"]) as ListFunction;
const lsetC = libc.func("lsetxattr", "int", ["void*", "void*", "void*", "size_t", "int"]) as SetFunction;
const setC = libc.func("setxattr", "int", ["void*", "void*", "void*", "size_t", "int"]) as SetFunction;
const lremoveC = libc.func("lremovexattr", "int", ["void*", "void*"]) as RemoveFunction;
const removeC = libc.func("removexattr", "int", ["void*", "void*"]) as RemoveFunction;

type GetFunction = (path: Path, name: Uint8Array, value: Uint8Array, size: number) => number;
type ListFunction = (path: Path, list: Uint8Array, size: number) => number;
type SetFunction = (path: Path, name: Uint8Array, value: Uint8Array, size: number, flags: number) => number;
type RemoveFunction = (path: Path, name: Uint8Array) => number;

/** Linux limits a value and a list of names to 64 KiB each (xattr(7)). */
const buffer = new Uint8Array(64 * 1024);

/** Whether a symlink in the last element of the path is followed. */
export type Follow = "follow" | "nofollow";

/** getxattr(2). */
export function getXattr(path: string, name: string, follow: Follow): Uint8Array {
  const get = follow === "follow" ? getC : lgetC;
  const length = check(get(cString(path), cString(name), buffer, buffer.length), "getxattr");
  return buffer.slice(0, length);
}

/** listxattr(2). */
export function listXattrs(path: string, follow: Follow): string[] {
  const list = follow === "follow" ? listC : llistC;
  const length = check(list(cString(path), buffer, buffer.length), "listxattr");
  const names: string[] = [];
  for (let at = 0; at < length;) {
    const end = buffer.indexOf(0, at);
    names.push(decodeText(buffer.subarray(at, end)));
    at = end + 1;
  }
  return names;
}

/** setxattr(2); the attribute is made or replaced. */
export function setXattr(path: string, name: string, value: Uint8Array, follow: Follow): void {
  const set = follow === "follow" ? setC : lsetC;
  check(set(cString(path), cString(name), value, value.length, 0), "setxattr");
}

/** removexattr(2). */
export function removeXattr(path: string, name: string, follow: Follow): void {
  const remove = follow === "follow" ? removeC : lremoveC;
  check(remove(cString(path), cString(name)), "removexattr");
}
