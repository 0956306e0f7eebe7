import { messageMax } from "@guestfs/protocol";
import { closeSync, copyFileSync, renameSync, rmSync } from "node:fs";
import { checkRootMounted } from "./argument-check.ts";
import type { Context } from "./context.ts";
import { DaemonError } from "./daemon-error.ts";
import { run } from "./exec.ts";
import type { OutputTaker } from "./exec.ts";
import { O_DIRECTORY, O_NOFOLLOW, O_PATH } from "./native/file.ts";
import { mount, MNT_DETACH, MS_BIND, MS_PRIVATE, MS_REC, umount } from "./native/mount.ts";
import { errorText } from "./native/system-error.ts";
import { descriptorPath } from "./sysroot.ts";
import type { Sysroot } from "./sysroot.ts";

const resolverFile = "/etc/resolv.conf";

/** Binds something of the daemon's side over something of the guest. @returns what undoes it */
function bindOver(sysroot: Sysroot, source: string, path: string, flags: number): (() => void) | undefined {
  try {
    sysroot.withOpen(path, O_PATH | flags, (fd) => mount(source, descriptorPath(fd), "", MS_BIND | MS_REC, ""));
  } catch {
    // A guest without such a folder does without it.
    return undefined;
  }
  // Opened again, the path leads to what is mounted there.
  const change = (action: (path: string) => void): void =>
    sysroot.withOpen(path, O_PATH | flags, (fd) => action(descriptorPath(fd)));
  const undo = (): void => change((target) => umount(target, MNT_DETACH));
  // Or else unmounting it would unmount what is below it on the daemon's side as well.
  change((target) => mount("", target, "", MS_REC | MS_PRIVATE, ""));
  return undo;
}

/** Puts the daemon's resolv.conf in the place of one that leads nowhere or is not there. @returns what undoes it */
function lendResolver(sysroot: Sysroot): (() => void) | undefined {
  const kept = `${resolverFile}.guestfs-kept`;
  const inGuest = <T>(path: string, action: (path: string) => T): T =>
    sysroot.withPlace(path, (place) => action(place.path));
  const move = (from: string, to: string): void =>
    inGuest(from, (source) => inGuest(to, (target) => renameSync(source, target)));
  let moved = false;
  try {
    move(resolverFile, kept);
    moved = true;
  } catch {
    // There was none.
  }
  try {
    inGuest(resolverFile, (target) => copyFileSync(resolverFile, target));
  } catch {
    if (!moved) return undefined;
  }
  return () => {
    inGuest(resolverFile, (target) => rmSync(target, { force: true }));
    if (moved) move(kept, resolverFile);
  };
}

/** Makes a guest's tree a place where its programs run, for the time of one action. */
function withMachine<T>(context: Context, action: () => T): T {
  const { sysroot, state } = context;
  if (sysroot.path === "/") return action();
  const undo: (() => void)[] = [];
  const keep = (one: (() => void) | undefined): void => {
    if (one) undo.push(one);
  };
  try {
    for (const path of ["/dev", "/proc", "/sys"]) keep(bindOver(sysroot, path, path, O_DIRECTORY | O_NOFOLLOW));
    if (state.options.network) keep(bindOver(sysroot, resolverFile, resolverFile, 0) ?? lendResolver(sysroot));
    return action();
  } finally {
    for (const one of undo.toReversed()) one();
  }
}

/**
 * Runs a program of the guest with the guest's tree as its `/`.
 * @param output - what takes its output
 * @returns its output when nothing takes it, as far as one message holds it
 * @throws DaemonError when nothing is mounted; with what it wrote to its stderr, when it fails
 */
export function runInGuest(context: Context, argv: readonly string[], stdout?: OutputTaker): Buffer {
  checkRootMounted(context.state);
  const [program] = argv;
  if (program === undefined) throw new DaemonError("the command is empty", "EINVAL");
  return withMachine(context, () => {
    const root = context.sysroot.openTop();
    const live = context.sysroot.path === "/";
    try {
      return run(argv, {
        directory: root,
        pulse: context.pulse,
        outputMax: messageMax,
        ...(live ? {} : { root }),
        ...(stdout ? { stdout } : {}),
      }).stdout;
    } catch (error) {
      throw explained(error, program);
    } finally {
      closeSync(root);
    }
  });
}

function explained(error: unknown, program: string): unknown {
  if (error instanceof DaemonError)
    return error.errno === "EFBIG"
      ? new DaemonError(
          `${program}: more output than the ${messageMax} bytes of one message; command_out and sh_out have no limit`,
          "EFBIG",
        )
      : error;
  const { code, syscall } = error as { code?: string; syscall?: string };
  return code !== undefined && syscall === program ? new DaemonError(`${program}: ${errorText(code)}`, code) : error;
}
