import { writeSync } from "node:fs";
import koffi from "koffi";
import { cString } from "./c-string.ts";
import { check } from "./system-error.ts";

const memfdCreate = koffi.load("libc.so.6").func("memfd_create", "int", ["void*", "uint"]) as (
  name: Uint8Array,
  flags: number,
) => number;

const MFD_CLOEXEC = 1;

/** memfd_create(2): a file of these bytes that has no name and never meets a disk. The caller closes it. */
export function memoryFile(content: Uint8Array): number {
  const fd = check(memfdCreate(cString("guestfsd"), MFD_CLOEXEC), "memfd_create");
  for (let at = 0; at < content.length;) at += writeSync(fd, content, at, content.length - at, at);
  return fd;
}
