import koffi from "koffi";

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;

let getsockopt:
  | ((fd: number, level: number, name: number, value: Int32Array, length: Int32Array) => number)
  | undefined;

/** Who is at the other end of a unix socket; `undefined` for what is no socket. */
export function peerOf(fd: number): { readonly pid: number; readonly uid: number } | undefined {
  getsockopt ??= koffi
    .load("libc.so.6")
    .func("getsockopt", "int", ["int", "int", "int", "void*", "void*"]) as NonNullable<typeof getsockopt>;
  const value = new Int32Array(3);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, value, Int32Array.of(value.byteLength)) < 0) return undefined;
  return { pid: value[0] as number, uid: value[1] as number };
}
