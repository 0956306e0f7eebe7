import { mkdtempSync, realpathSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { listFileSystems } from "../file-system-list.ts";
import { mountMountable } from "../guest-mount.ts";
import { MNT_DETACH, umount } from "../native/mount.ts";
import { Sysroot } from "../sysroot.ts";
import { unmountAll } from "../unmount.ts";
import { DeviceFinder } from "./device-finder.ts";
import { GuestReader } from "./guest-reader.ts";
import type { OperatingSystem, Role } from "./operating-system.ts";
import { unixRole } from "./unix.ts";
import { dosRole, windowsRole } from "./windows.ts";

const key = Symbol("inspection");

type Found = Map<string, OperatingSystem>;

/** Hands on a filesystem, mounted aside and not for writing; `undefined` when it can't be mounted. */
function withFileSystem<T>(context: Context, mountable: string, use: (reader: GuestReader) => T): T | undefined {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "inspect-")));
  const sysroot = new Sysroot(folder);
  try {
    try {
      mountMountable({ ...context, sysroot }, mountable, "/", { options: "ro" });
    } catch {
      return undefined;
    }
    try {
      return use(new GuestReader(sysroot));
    } finally {
      umount(folder, MNT_DETACH);
    }
  } finally {
    rmdirSync(folder);
  }
}

function roleOf(reader: GuestReader, finder: DeviceFinder, mountable: string): Role {
  return (
    windowsRole(reader, finder, mountable) ??
    unixRole(reader, finder, mountable) ??
    dosRole(reader, mountable) ?? { kind: "other" }
  );
}

/** A root takes over what it does not know itself from the /usr that it mounts. */
function completeFromUsr(found: Found, usrs: ReadonlyMap<string, OperatingSystem>): void {
  for (const system of found.values()) {
    const known = system.mounts.find(({ mountpoint }) => mountpoint === "/usr");
    // Container Linux has its /usr on one of two partitions, and nothing in fstab.
    const candidates = known ? [known.mountable] : system.distro === "coreos" ? [...usrs.keys()] : [];
    const mountable = candidates.find((candidate) => usrs.has(candidate));
    const usr = mountable === undefined ? undefined : usrs.get(mountable);
    if (mountable === undefined || !usr) continue;
    const { mounts: _, ...facts } = usr;
    Object.assign(system, { ...facts, ...system });
    if (!known) system.mounts.push({ mountable, mountpoint: "/usr" });
  }
}

const withoutFiles = new Set(["", "unknown", "swap"]);

/** The root is where it was found, whatever fstab calls it. */
function withRoot(system: OperatingSystem, root: string): OperatingSystem {
  const others = system.mounts.filter(({ mountpoint }) => mountpoint !== "/");
  return { ...system, mounts: [{ mountable: root, mountpoint: "/" }, ...others] };
}

/** Finds the operating systems on all disks. */
export function inspectAll(context: Context): string[] {
  context.state.drop(key);
  unmountAll(context);
  const finder = new DeviceFinder(context);
  const found: Found = new Map();
  const usrs = new Map<string, OperatingSystem>();
  for (const [mountable, type] of Object.entries(listFileSystems(context))) {
    if (withoutFiles.has(type)) continue;
    const role = withFileSystem(context, mountable, (reader) => roleOf(reader, finder, mountable));
    context.pulse();
    if (role?.kind === "root") found.set(mountable, withRoot(role.system, mountable));
    else if (role?.kind === "usr") usrs.set(mountable, role.system);
  }
  completeFromUsr(found, usrs);
  context.state.keep(key, found, () => {});
  return inspectedRoots(context);
}

/** The roots that the last inspection found. */
export function inspectedRoots(context: Context): string[] {
  return [...(context.state.get<Found>(key)?.keys() ?? [])].toSorted();
}

/** What is known of the operating system with this root. */
export function inspected(context: Context, root: string): OperatingSystem {
  const found = context.state.get<Found>(key);
  if (!found || found.size === 0) throw new DaemonError("no inspection data: call inspect_os first");
  const system = found.get(root);
  if (!system) throw new DaemonError(`${root}: no root that inspect_os has returned`);
  return system;
}
