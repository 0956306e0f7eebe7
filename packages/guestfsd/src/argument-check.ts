import { camelCase, structByName } from "@guestfs/schema";
import type { Parameter, Procedure, Result } from "@guestfs/schema";
import { constants, readFileSync } from "node:fs";
import { DaemonError } from "./daemon-error.ts";
import type { DeviceNames } from "./device.ts";
import { isBlockDevice, parseMountable } from "./device.ts";
import type { DaemonState } from "./daemon-state.ts";
import { resolveLabel } from "./disk-label.ts";
import { deviceOf, pathType } from "./native/stat.ts";

const { S_IFBLK, S_IFCHR, S_IFDIR } = constants;

function checkPathname(name: string, path: string): void {
  if (!path.startsWith("/")) throw new DaemonError(`${name}: path must start with a / character: ${path}`, "EINVAL");
}

function checkDevice(devices: DeviceNames, text: string): string {
  if (!text.startsWith("/dev/")) throw new DaemonError(`${text}: expecting a device name`, "EINVAL");
  const device = resolveLabel(devices.toKernel(text));
  const type = pathType(device);
  if (type === undefined) throw new DaemonError(`${text}: No such file or directory`, "ENOENT");
  // LVM takes the folder /dev/VG for all of a group's volumes.
  if (type !== S_IFBLK && type !== S_IFCHR && type !== S_IFDIR)
    throw new DaemonError(`${text}: not a device`, "ENOTBLK");
  return device;
}

function checkMountable(devices: DeviceNames, text: string): string {
  const { device, subvolume } = parseMountable(text, (path) => isBlockDevice(devices.toKernel(path)));
  const real = checkDevice(devices, device);
  return subvolume === undefined ? real : `btrfsvol:${real}/${subvolume}`;
}

function checkText(devices: DeviceNames, parameter: Parameter, text: string): string {
  switch (parameter.of) {
    case "pathname":
      checkPathname(parameter.name, text);
      return text;
    case "filename":
      if (text.includes("/")) throw new DaemonError(`${parameter.name}: '${text}' must not contain a slash`, "EINVAL");
      return text;
    case "device":
      return checkDevice(devices, text);
    case "device-or-path":
    case "mountable-or-path":
      if (text.startsWith("/dev/")) return checkDevice(devices, text);
      if (text.startsWith("btrfsvol:")) return checkMountable(devices, text);
      checkPathname(parameter.name, text);
      return text;
    case "mountable":
      return checkMountable(devices, text);
    default:
      return text;
  }
}

/** Checks each argument for what it stands for; device names become the kernel's. */
export function checkArguments(row: Procedure, args: Record<string, unknown>, devices: DeviceNames): void {
  for (const parameter of row.params) {
    if (parameter.of === undefined || parameter.of === "plain") continue;
    const name = camelCase(parameter.name);
    const value = args[name];
    if (typeof value === "string") args[name] = checkText(devices, parameter, value);
    else if (Array.isArray(value)) args[name] = value.map((text: string) => checkText(devices, parameter, text));
  }
}

/** Whether the call acts on files of the mounted tree and so needs one. */
export function needsRoot(row: Procedure): boolean {
  return row.params.some((parameter) => parameter.of === "pathname" && parameter.type === "string");
}

let ownDevice: number | undefined;

/** @throws DaemonError when nothing is mounted as the guest's tree */
export function checkRootMounted(state: DaemonState): void {
  const { sysroot, appliance } = state.options;
  // Elsewhere the tree is a folder of the machine that the daemon runs on: always there.
  if (!appliance) return;
  // The cheap look first: what is mounted there is another filesystem than the appliance's.
  if (deviceOf(sysroot) !== (ownDevice ??= deviceOf("/"))) return;
  const mounts = readFileSync("/proc/self/mounts", "utf8");
  if (mounts.includes(` ${sysroot} `) || mounts.includes(` ${sysroot}/`)) return;
  throw new DaemonError("you must call 'mount' first to mount the root filesystem", "EINVAL");
}

/** Device names in a result become the client's. */
export function translateResult(result: Result, value: unknown, devices: DeviceNames): unknown {
  const one = (text: string): string =>
    text.startsWith("btrfsvol:")
      ? text.replace(/^btrfsvol:(\/dev\/sd[a-z]+\d*)/, (_, device: string) => `btrfsvol:${devices.toClient(device)}`)
      : devices.toClient(text);
  if (result.type === "string" && result.of) return one(value as string);
  if (result.type === "string-list" && result.of) return (value as string[]).map(one);
  if (result.type === "hashtable" && (result.keys || result.values))
    return Object.fromEntries(
      Object.entries(value as Record<string, string>).map(([key, text]) => [
        result.keys ? one(key) : key,
        result.values ? one(text) : text,
      ]),
    );
  if (result.type === "struct" || result.type === "struct-list") {
    const columns = structByName.get(result.struct)?.fields.filter(({ type }) => type === "device") ?? [];
    if (columns.length === 0) return value;
    const row = (struct: object): object => {
      const device = (name: string): string => one((struct as Record<string, string>)[name] ?? "");
      return { ...struct, ...Object.fromEntries(columns.map(({ name }) => [name, device(name)])) };
    };
    return Array.isArray(value) ? value.map(row) : row(value as object);
  }
  return value;
}
