import { lstatSync } from "node:fs";
import type { Stats } from "node:fs";
import { isOwnFolder, makeOwnFolder } from "guestfs/command-line";
import { ShellError } from "../shell-error.ts";

/** The folder of the sockets of `--listen`; guestfish(1) says where, and TMPDIR does not matter. */
export function socketFolder(): string {
  return `/tmp/.guestfish-${process.geteuid?.() ?? 0}`;
}

/** The socket of the listening guestfish with that process number. */
export function socketPath(pid: string): string {
  return `${socketFolder()}/socket-${pid}`;
}

/** Makes the folder; throws ShellError when someone else has, or could put something into it. */
export function makeSocketFolder(): void {
  const folder = socketFolder();
  if (!makeOwnFolder(folder))
    throw new ShellError(
      `guestfish: ${folder} is not a folder of yours alone: remove it, or have its owner or root do so, and try again`,
    );
}

/**
 * Checks before connecting that the socket is where nobody but this user (and root) can have put it: that is what
 * makes each end sure of the other. Throws ShellError.
 */
export function checkSocket(pid: string): void {
  const path = socketPath(pid);
  let socket: Stats;
  try {
    socket = lstatSync(path);
  } catch (error) {
    throw new ShellError(
      `guestfish: --remote: no guestfish listens at ${path}: start one with: eval "$(guestfish --listen)"`,
      { cause: error },
    );
  }
  if (!isOwnFolder(socketFolder()) || !socket.isSocket() || socket.uid !== process.geteuid?.())
    throw new ShellError(`guestfish: --remote: ${path} is not safe to use: it or its folder is not yours alone`);
}
