import { groups } from "@guestfs/schema";
import { closeSync, fsyncSync, openSync, writeFileSync } from "node:fs";
import { machine, release, type, version } from "node:os";
import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { userDrives } from "../device.ts";
import { run } from "../exec.ts";
import { runInGuest } from "../guest-command.ts";
import { linesOf, textUntilNul } from "../guest-text.ts";
import { sync } from "../native/file.ts";
import { readKernelLog } from "../native/kernel-log.ts";

const napLength = 250;
const umaskMax = 0o777;
const dropAllMax = 3;

/** Writes everything to the disks: what filesystems hold, and what was written to a drive without one. */
export function syncDisks(context: Context): void {
  sync();
  if (!context.state.options.appliance) return;
  for (const drive of userDrives()) {
    try {
      const fd = openSync(`/dev/${drive}`, "r+");
      try {
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
    } catch {
      // A drive that is read-only has nothing to write.
    }
  }
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
  command: ({ arguments: argv }, context) => textUntilNul(runInGuest(context, argv, "reply")),
  command_lines: ({ arguments: argv }, context) => linesOf(runInGuest(context, argv, "reply")),
  command_out({ arguments: argv }, context) {
    runInGuest(context, argv, (data) => context.output.write(data));
  },
  sh: ({ command }, context) => textUntilNul(runInGuest(context, shell(command), "reply")),
  sh_lines: ({ command }, context) => linesOf(runInGuest(context, shell(command), "reply")),
  sh_out({ command }, context) {
    runInGuest(context, shell(command), (data) => context.output.write(data));
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
  umask({ mask }) {
    if (mask < 0 || mask > umaskMax) throw new DaemonError("a mask is 0 to 0777");
    return process.umask(mask);
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
