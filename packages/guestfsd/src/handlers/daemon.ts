import { groups } from "@guestfs/schema";
import { closeSync, constants, fsyncSync, openSync, writeFileSync } from "node:fs";
import { machine, release, type, version } from "node:os";
import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { userDrives } from "../device.ts";
import { run } from "../exec.ts";
import { runInGuest } from "../guest-command.ts";
import { linesOf, textUntilNul } from "../guest-text.ts";
import { ourMounts } from "../mount-table.ts";
import { sync, syncFilesystem } from "../native/file.ts";
import { fsPath } from "../sysroot.ts";
import { readKernelLog } from "../native/kernel-log.ts";
import { errorText } from "../native/system-error.ts";

const napLength = 250;
const umaskMax = 0o777;
const umaskKey = Symbol("umask");
const dropAllMax = 3;

/** The mask of a daemon that no client has given another. */
export const usualUmask = 0o022;

/** Opens something to flush it; what can't be opened so, being read-only or gone, has nothing to write. */
function flush(path: string, flags: number, how: (fd: number) => void): void {
  let fd: number;
  try {
    fd = openSync(fsPath(path), flags | constants.O_NONBLOCK);
  } catch {
    return;
  }
  try {
    how(fd);
  } catch (error) {
    const { code = "EIO" } = error as NodeJS.ErrnoException;
    throw new DaemonError(`${path}: what was written did not reach the disk: ${errorText(code)}`, code, {
      cause: error,
    });
  } finally {
    closeSync(fd);
  }
}

/**
 * Writes everything to the disks: what filesystems hold, and what was written to a drive without one.
 * @throws DaemonError when something could not be written, also earlier and in the background
 */
export function syncDisks(context: Context): void {
  sync();
  for (const { target } of ourMounts(context.state)) flush(target, constants.O_RDONLY, syncFilesystem);
  if (!context.state.options.appliance) return;
  for (const drive of userDrives()) flush(`/dev/${drive}`, constants.O_RDWR, fsyncSync);
}

/** Waits, and ends when the client goes away. */
function sleep(context: Context, milliseconds: number): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const end = performance.now() + milliseconds;
  for (let left = milliseconds; left > 0; left = end - performance.now()) {
    Atomics.wait(cell, 0, 0, Math.min(left, napLength));
    context.pulse();
  }
}

function shell(command: string): string[] {
  return ["/bin/sh", "-c", command];
}

/** The daemon itself, and the guest's programs. */
export const daemon: HandlersOf<"daemon"> = {
  available_all_groups: () => groups.map(({ name }) => name).toSorted(),
  command: ({ arguments: argv }, context) => textUntilNul(runInGuest(context, argv)),
  command_lines: ({ arguments: argv }, context) => linesOf(runInGuest(context, argv)),
  command_out({ arguments: argv }, context) {
    runInGuest(context, argv, context.output);
  },
  sh: ({ command }, context) => textUntilNul(runInGuest(context, shell(command))),
  sh_lines: ({ command }, context) => linesOf(runInGuest(context, shell(command))),
  sh_out({ command }, context) {
    runInGuest(context, shell(command), context.output);
  },
  dmesg: () => textUntilNul(readKernelLog()).replace(/^<\d+>/gm, ""),
  drop_caches({ whattodrop }) {
    if (whattodrop < 0 || whattodrop > dropAllMax)
      throw new DaemonError(`${whattodrop}: what to drop is 0 to ${dropAllMax}`);
    sync();
    if (whattodrop > 0) writeFileSync("/proc/sys/vm/drop_caches", `${whattodrop}\n`);
  },
  echo_daemon: ({ words }) => words.join(" "),
  get_umask: () => process.umask(),
  umask({ mask }, { state }) {
    if (mask < 0 || mask > umaskMax) throw new DaemonError("a mask is 0 to 0777");
    const before = process.umask();
    // The next client finds the usual one.
    state.keep(umaskKey, mask, () => process.umask(usualUmask));
    process.umask(mask);
    return before;
  },
  modprobe({ modulename }) {
    run(["modprobe", "--", modulename]);
  },
  ping_daemon() {},
  sleep({ secs }, context) {
    if (secs < 0) throw new DaemonError("the time is negative");
    sleep(context, secs * 1000);
  },
  sync: (_, context) => syncDisks(context),
  utsname: () => ({ uts_sysname: type(), uts_release: release(), uts_version: version(), uts_machine: machine() }),
};
