import { decodeText } from "@guestfs/protocol";
import { existsSync, readFileSync, statSync } from "node:fs";
import { deviceNumber, publicName } from "./block-device.ts";
import type { DaemonState } from "./daemon-state.ts";

/** A line of /proc/self/mountinfo, see proc(5). */
export interface MountEntry {
  readonly id: number;
  /** `major:minor` of the filesystem, which for btrfs and FUSE is not the device's */
  readonly number: string;
  readonly target: string;
  /** options of this mount: `rw,nosuid` */
  readonly options: readonly string[];
  readonly type: string;
  readonly source: string;
  /** options of the filesystem */
  readonly superOptions: readonly string[];
}

const ownKey = Symbol("mounts made");

/** Spaces, tabs, line ends and backslashes are written in octal. */
function unescape(bytes: string): string {
  const raw = bytes.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
  return decodeText(Buffer.from(raw, "latin1"));
}

/** All mounts that the daemon sees, each after what it lies on. */
export function mountTable(): MountEntry[] {
  return readFileSync("/proc/self/mountinfo", "latin1")
    .split("\n")
    .flatMap((line) => {
      const words = line.split(" ");
      const dash = words.indexOf("-", 6);
      if (dash < 0) return [];
      return {
        id: Number(words[0]),
        number: words[2] ?? "",
        target: unescape(words[4] ?? ""),
        options: (words[5] ?? "").split(","),
        type: unescape(words[dash + 1] ?? ""),
        source: unescape(words[dash + 2] ?? ""),
        superOptions: unescape(words[dash + 3] ?? "").split(","),
      };
    });
}

/** Live: remembers that this daemon mounted what lies on top at a place, since nothing else may be unmounted. */
export function rememberMount(state: DaemonState, target: string): void {
  if (!state.options.live) return;
  const id = mountTable().findLast((entry) => entry.target === target)?.id;
  const own = state.get<Set<number>>(ownKey) ?? new Set<number>();
  if (id !== undefined) own.add(id);
  // Mounts outlive the conversation, as they do in the stock daemon.
  state.keep(ownKey, own, () => {});
}

/** The mounts of the guest's tree, each after what it lies on. Live, that is every mount of the machine. */
export function guestMounts(state: DaemonState): MountEntry[] {
  const { sysroot } = state.options;
  const inside = sysroot.endsWith("/") ? sysroot : `${sysroot}/`;
  return mountTable().filter(({ target }) => target === sysroot || target.startsWith(inside));
}

/** The mounts of the guest's tree that may be taken away. Live, where the rest is the machine's own: those that this conversation made. */
export function ourMounts(state: DaemonState): MountEntry[] {
  const mounts = guestMounts(state);
  if (!state.options.live) return mounts;
  const own = state.get<Set<number>>(ownKey);
  return mounts.filter((entry) => own?.has(entry.id) ?? false);
}

/** The guest's mounts that stand on devices, by the names people know them by, with their place in the guest. */
export function mountedDevices(state: DaemonState): { device: string; mountpoint: string }[] {
  const { sysroot } = state.options;
  const cut = sysroot === "/" ? 0 : sysroot.length;
  return guestMounts(state)
    .filter(({ source }) => source.startsWith("/dev/"))
    .map(({ source, target }) => ({
      device: existsSync(source) ? publicName(source) : source,
      mountpoint: target.slice(cut) || "/",
    }));
}

/** Whether a mount stands on a block device, whatever name it was given. */
export function isMountOf(entry: MountEntry, device: string): boolean {
  const number = deviceNumber(statSync(device).rdev);
  if (entry.number === number) return true;
  const source = entry.source.startsWith("/dev/") ? statSync(entry.source, { throwIfNoEntry: false }) : undefined;
  return (source?.isBlockDevice() ?? false) && deviceNumber(source?.rdev ?? 0) === number;
}
