import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import koffi from "koffi";
import { check } from "./system-error.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x40000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
/** `struct cmsghdr` and one descriptor, on 64 bits. */
const controlSize = 24;

/** Takes the descriptor that waits on a unix socket (unix(7), SCM_RIGHTS); `undefined` when none does. */
function receiveDescriptor(socket: number): number | undefined {
  const libc = koffi.load("libc.so.6");
  const vector = koffi.struct({ base: "void *", length: "size_t" });
  const header = koffi.struct({
    name: "void *",
    nameLength: "uint",
    vector: koffi.pointer(vector),
    vectorLength: "size_t",
    control: "void *",
    controlLength: "size_t",
    flags: "int",
  });
  const receive = libc.func("recvmsg", "int", ["int", koffi.inout(koffi.pointer(header)), "int"]) as (
    fd: number,
    message: object,
    flags: number,
  ) => number;
  const control = Buffer.alloc(controlSize);
  const message = {
    name: null,
    nameLength: 0,
    vector: [{ base: Buffer.alloc(1), length: 1 }],
    vectorLength: 1,
    control,
    controlLength: controlSize,
    flags: 0,
  };
  if (receive(socket, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 1) return undefined;
  const isRights = control.readUInt32LE(8) === SOL_SOCKET && control.readUInt32LE(12) === SCM_RIGHTS;
  return isRights ? control.readInt32LE(16) : undefined;
}

/**
 * Mounts a FUSE file system as a user who may not mount, by fusermount3(1), which hands over the descriptor.
 * @param folder - absolute path
 * @param options - for `-o`
 * @returns descriptor of /dev/fuse
 * @throws Error with what fusermount3 says
 */
export async function receiveFuseDescriptor(folder: string, options: readonly string[]): Promise<number> {
  const socketpair = koffi.load("libc.so.6").func("socketpair", "int", ["int", "int", "int", "void *"]) as (
    family: number,
    type: number,
    protocol: number,
    pair: Int32Array,
  ) => number;
  const pair = new Int32Array(2);
  check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair");
  const [ours = -1, theirs = -1] = pair;
  try {
    const child = spawn("fusermount3", ["-o", options.join(","), "--", folder], {
      stdio: ["ignore", "ignore", "pipe", theirs],
      env: { ...process.env, _FUSE_COMMFD: "3" },
    });
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-2000)));
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once("error", (error: NodeJS.ErrnoException) =>
        reject(
          error.code === "ENOENT"
            ? new Error("there is no fusermount3 here\nTo fix it: apt install fuse3", { cause: error })
            : error,
        ),
      );
      child.once("close", resolve);
    });
    const fd = status === 0 ? receiveDescriptor(ours) : undefined;
    if (fd === undefined) throw new Error(`${folder} can't be mounted on: ${said.trim() || `exit status ${status}`}`);
    return fd;
  } finally {
    closeSync(ours);
    closeSync(theirs);
  }
}
