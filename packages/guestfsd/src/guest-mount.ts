import { constants } from "node:fs";
import { publicName } from "./block-device.ts";
import { registerBtrfsMembers } from "./btrfs-members.ts";
import type { Context } from "./context.ts";
import { DaemonError } from "./daemon-error.ts";
import type { DaemonOptions } from "./daemon-state.ts";
import { isBlockDevice, isPartition, parseMountable } from "./device.ts";
import { run } from "./exec.ts";
import { programExists } from "./groups.ts";
import { rememberMount } from "./mount-table.ts";
import { probePartitionType, probeType } from "./native/blkid.ts";
import { splitMountOptions } from "./native/libmount.ts";
import { mount, MS_RDONLY } from "./native/mount.ts";
import { pathType } from "./native/stat.ts";
import { errorText } from "./native/system-error.ts";

/** How something is mounted. */
export interface MountRequest {
  /** device, or file when a loop device is to stand between */
  readonly source: string;
  readonly subvolume?: string | undefined;
  /** path in the guest */
  readonly mountpoint: string;
  /** as for mount(8) */
  readonly options: string;
  /** empty: what is found on the device */
  readonly type: string;
}

// Options that need more than mount(2).
const forMount8 = /(?:^|,)(?:loop|offset|sizelimit|encryption|verity\.[a-z]+|bind|rbind|move)(?:=|,|$)/;

/** The folder to mount on, on the daemon's side. */
function targetOf(context: Context, mountpoint: string): string {
  const message = `${mountpoint}: the mount point is not a directory of the guest`;
  if (!mountpoint.startsWith("/")) throw new DaemonError(`${message}: a path must start with a / character`, "EINVAL");
  let target: string;
  try {
    target = context.sysroot.outside(mountpoint);
  } catch (error) {
    throw new DaemonError(message, (error as NodeJS.ErrnoException).code ?? "", { cause: error });
  }
  if (pathType(target) !== constants.S_IFDIR) throw new DaemonError(message, "ENOTDIR");
  return target;
}

function typeOf(request: MountRequest, { appliance }: DaemonOptions): string {
  if (request.type !== "" && request.type !== "auto") {
    if (!/^[\w.+-]+$/.test(request.type)) throw new DaemonError(`${request.type}: no type of filesystem`, "EINVAL");
    return request.type;
  }
  const { source } = request;
  const type = appliance && isPartition(source) ? probePartitionType(source) : probeType(source);
  if (type === "") throw new DaemonError(`${request.source}: no filesystem that is known was found on it`, "EINVAL");
  return type;
}

function explain(code: string, request: MountRequest, type: string): string {
  const place = `${request.source} on ${request.mountpoint}`;
  if (code === "ENODEV") return `${place}: unknown filesystem type '${type}'`;
  if (code === "EINVAL") return `${place}: wrong filesystem type, bad option, or a damaged superblock (type ${type})`;
  if (code === "EBUSY") return `${place}: already mounted there, or in use`;
  return `${place}: ${errorText(code)}`;
}

function mountDirectly(request: MountRequest, source: string, target: string, type: string): void {
  const { flags, data } = splitMountOptions(request.options);
  if (request.subvolume?.includes(","))
    throw new DaemonError(
      `${request.subvolume}: a subvolume whose name has a comma can't be mounted by its name`,
      "EINVAL",
    );
  const subvolume = request.subvolume === undefined ? "" : `subvol=${request.subvolume}`;
  const options = data === "" || subvolume === "" ? data + subvolume : `${data},${subvolume}`;
  try {
    mount(source, target, type, flags, options);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    const mayBeReadOnly = (code === "EROFS" || code === "EACCES") && (flags & MS_RDONLY) === 0;
    if (!mayBeReadOnly) throw new DaemonError(explain(code, request, type), code, { cause: error });
    // As mount(8) does on a device that can't be written.
    mount(source, target, type, flags | MS_RDONLY, options);
  }
}

function mountWithProgram(request: MountRequest, source: string, target: string, type: string): void {
  const options = request.options === "" ? [] : ["-o", request.options];
  const argv =
    type !== "" && programExists(`mount.${type}`)
      ? [`mount.${type}`, source, target, ...options]
      : ["mount", ...options, ...(type === "" ? [] : ["-t", type]), "--", source, target];
  const { status, stderr, stdout } = run(argv, { accept: "any" });
  if (status === 0) return;
  const said = `${stderr}\n${stdout.toString("utf8")}`.trim().replace(/\n +dmesg\(1\).*/, "");
  throw new DaemonError(
    `${request.source} on ${request.mountpoint}: ${said || `ended with status ${status}`}`,
    "EINVAL",
  );
}

/** Where paths are limited, a node on what is mounted must not stand for a device of the machine. */
function withinLimits(context: Context, request: MountRequest): MountRequest {
  if (context.state.guard?.paths.limitsPaths !== true) return request;
  return { ...request, options: request.options === "" ? "nodev" : `${request.options},nodev` };
}

/** Mounts something into the guest's tree. */
export function mountInGuest(context: Context, wanted: MountRequest): void {
  const request = withinLimits(context, wanted);
  const target = targetOf(context, request.mountpoint);
  const source = publicName(request.source);
  if (forMount8.test(request.options)) mountWithProgram(request, source, target, request.type);
  else {
    const type = typeOf(request, context.state.options);
    if (type === "btrfs") registerBtrfsMembers(context, request.source);
    // Only where a program is the driver: FUSE's.
    if (/^(?:ntfs|ntfs-3g|lowntfs-3g|fuse.*)$/.test(type) && programExists(`mount.${type}`))
      mountWithProgram(request, source, target, type);
    else mountDirectly(request, source, target, type === "ntfs" ? "ntfs3" : type);
  }
  rememberMount(context.state, target);
}

/** Mounts a mountable into the guest's tree. */
export function mountMountable(
  context: Context,
  mountable: string,
  mountpoint: string,
  { options = "", type = "" }: { readonly options?: string; readonly type?: string } = {},
): void {
  const { device, subvolume } = parseMountable(mountable, isBlockDevice);
  mountInGuest(context, { source: device, subvolume, mountpoint, options, type });
}
