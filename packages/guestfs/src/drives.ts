import { access, constants, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { ApplianceDrive, DriveProtocol } from "@guestfs/appliance";
import { checkRemote } from "./drive-server.ts";
import { GuestfsError } from "./errors.ts";
import type { AddDriveOptions } from "./gen/api.ts";

/** Drives a handle takes: libguestfs's limit for virtio-scsi, less the appliance's own disk. */
export const maxDrives = 255;

const protocols: readonly DriveProtocol[] = [
  "file",
  "nbd",
  "ssh",
  "http",
  "https",
  "ftp",
  "ftps",
  "iscsi",
  "rbd",
  "gluster",
];

/** Options of `add_drive`, checked; the image has not been looked at. */
export type DriveOptions = Omit<AddDriveOptions, "signal" | "onProgress">;

function oneOf<T extends string | number>(
  procedure: string,
  name: string,
  value: string | number | undefined,
  allowed: readonly T[],
): T | undefined {
  if (value === undefined) return undefined;
  if (!allowed.includes(value as T))
    throw new RangeError(`${procedure}: ${name}: ${JSON.stringify(value)} is none of ${allowed.join(", ")}`);
  return value as T;
}

function word(
  procedure: string,
  name: string,
  value: string | undefined,
  pattern: RegExp,
  what: string,
): string | undefined {
  if (value !== undefined && !pattern.test(value))
    throw new RangeError(`${procedure}: ${name}: ${JSON.stringify(value)} is not ${what}`);
  return value;
}

async function localPath(procedure: string, filename: string, readonly: boolean): Promise<string> {
  const path = resolve(filename);
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) throw new Error("is a directory");
    if (!stats.isFile() && !stats.isBlockDevice()) throw new Error("is neither a regular file nor a block device");
    await access(path, readonly ? constants.R_OK : constants.R_OK | constants.W_OK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const fix =
      code === "EACCES" && !readonly
        ? " (this user may not both read and write it; to look without changing it: readonly)"
        : "";
    const what = code === "ENOENT" ? "No such file or directory" : code === "EACCES" ? "Permission denied" : message;
    throw new GuestfsError("LOCAL", `${filename}: ${what}${fix}`, { procedure, cause: error });
  }
  return path;
}

/** Leaves out what is undefined. */
function compact(drive: Record<string, unknown>): ApplianceDrive {
  return Object.fromEntries(
    Object.entries(drive).filter(([, value]) => value !== undefined),
  ) as unknown as ApplianceDrive;
}

/**
 * Checks a drive as libguestfs does.
 * @throws RangeError naming the option; GuestfsError with code LOCAL when the image can't be opened
 */
export async function checkDrive(procedure: string, filename: string, options: DriveOptions): Promise<ApplianceDrive> {
  const name = /^[A-Za-z0-9_-]+$/;
  const protocol = oneOf(procedure, "protocol", options.protocol, protocols) ?? "file";
  const readonly = options.readonly ?? false;
  const checked = {
    readonly,
    format: word(procedure, "format", options.format, name, "a format: letters, digits, - and _"),
    iface: word(procedure, "iface", options.iface, name, "an interface: letters, digits, - and _"),
    name: options.name,
    label: word(procedure, "label", options.label, /^[A-Za-z]{1,20}$/, "a label: 1 to 20 letters from a to z"),
    protocol,
    cachemode: oneOf(procedure, "cachemode", options.cachemode, ["unsafe", "writeback"]),
    discard: oneOf(procedure, "discard", options.discard, ["disable", "enable", "besteffort"]),
    copyonread: options.copyonread,
    blocksize: oneOf(procedure, "blocksize", options.blocksize, [512, 4096]),
  };
  if (readonly && checked.discard === "enable")
    throw new RangeError(`${procedure}: discard: "enable" has no meaning for a drive that is readonly`);
  const remote = checkRemote(procedure, protocol, filename, options);
  const path = protocol === "file" ? await localPath(procedure, filename, readonly) : filename;
  return compact({ filename: path, ...checked, ...remote });
}

/** The drives of a handle, in the order of their names in the guest. */
export class DriveList {
  #drives: ApplianceDrive[] = [];
  /** SCSI targets of drives that were there at some time: names go by them, so none is used twice. */
  #targets = new Map<ApplianceDrive, number>();
  #nextTarget = 0;
  #scratches = 0;

  /** A number for a scratch drive's file, which no other has had. */
  nextScratch(): number {
    return this.#scratches++;
  }

  /** The appliance runs, with the drives that there are: each has its place now. */
  settle(): void {
    this.#targets = new Map(this.#drives.map((drive, target) => [drive, target]));
    this.#nextTarget = this.#drives.length;
  }

  /** The place for a drive that is added while the appliance runs. @throws RangeError when there is none */
  takeTarget(procedure: string, drive: ApplianceDrive): number {
    if (this.#nextTarget >= maxDrives)
      throw new RangeError(
        `${procedure}: the appliance has had ${maxDrives} drives, and there is no place for another`,
      );
    const target = this.#nextTarget++;
    this.#targets.set(drive, target);
    return target;
  }

  /** The place of the drive with a label; `undefined` when there is none. */
  targetOf(label: string): number | undefined {
    const drive = this.#drives.find((other) => other.label === label);
    return drive && this.#targets.get(drive);
  }

  /** @throws RangeError when there are too many, or another has the same label */
  add(procedure: string, drive: ApplianceDrive): void {
    if (this.#drives.length >= maxDrives)
      throw new RangeError(`${procedure}: there are ${maxDrives} drives already, and no more can be added`);
    if (drive.label !== undefined && this.#drives.some((other) => other.label === drive.label))
      throw new RangeError(`${procedure}: label: another drive has the label ${JSON.stringify(drive.label)} already`);
    this.#drives.push(drive);
  }

  /** @returns whether there was a drive with this label */
  remove(label: string): boolean {
    const before = this.#drives.length;
    this.#drives = this.#drives.filter((drive) => drive.label !== label);
    return this.#drives.length < before;
  }

  /** Takes a drive off that could not be added. */
  drop(drive: ApplianceDrive): void {
    this.#drives = this.#drives.filter((other) => other !== drive);
  }

  list(): readonly ApplianceDrive[] {
    return this.#drives;
  }

  clear(): void {
    this.#drives = [];
    this.#targets.clear();
    this.#nextTarget = 0;
  }
}

/** One line about a drive, for `debug_drives`; secrets are left out. */
export function describeDrive(drive: ApplianceDrive): string {
  const { filename, secret, ...options } = drive;
  const words = Object.entries({ ...options, ...(secret === undefined ? {} : { secret: "***" }) }).map(
    ([name, value]) => `${name}=${Array.isArray(value) ? value.join(",") : String(value)}`,
  );
  return [filename, ...words].join(" ");
}
