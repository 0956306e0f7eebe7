import { constants, readdirSync, readlinkSync } from "node:fs";
import { DaemonError } from "./daemon-error.ts";
import { pathType } from "./native/stat.ts";

/** `/dev/sdb3`, `/dev/vda`, `/dev/hdc1`: prefix, letters, partition. */
const namePattern = /^\/dev\/(?:sd|hd|vd)([a-z]+)(\d*)$/;

/** `a` to 0, `z` to 25, `aa` to 26. */
export function driveIndex(letters: string): number {
  return [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 96, 0) - 1;
}

/** 0 to `a`, 26 to `aa`. */
export function driveLetters(index: number): string {
  const letter = String.fromCharCode(97 + (index % 26));
  return index < 26 ? letter : driveLetters(Math.floor(index / 26) - 1) + letter;
}

function scsiAddress(block: string): number[] | undefined {
  try {
    return readlinkSync(`/sys/block/${block}/device`).split("/").at(-1)?.split(":").map(Number);
  } catch {
    return undefined;
  }
}

function compareAddresses(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The drives that the user added. */
interface Drives {
  /** as the kernel names them, in the order in which they were added */
  readonly names: readonly string[];
  /** whether these are the names that the API promises */
  readonly asPromised: boolean;
}

function sorted(names: string[]): string[] {
  // Most machines have one drive, and a launch without KVM pays for each thing that it does for the first time.
  if (names.length < 2) return names;
  return names
    .map((name) => ({ name, address: scsiAddress(name) ?? [] }))
    .toSorted((a, b) => compareAddresses(a.address, b.address))
    .map((drive) => drive.name);
}

function listDrives(): Drives {
  const names = sorted(readdirSync("/sys/block").filter((name) => name.startsWith("sd")));
  return { names, asPromised: names.every((name, index) => name === `sd${driveLetters(index)}`) };
}

let keepsList = false;
let kept: Drives | undefined;

function drives(): Drives {
  if (!keepsList) return listDrives();
  return (kept ??= listDrives());
}

/** From now on drives come and go by this daemon's doing only, which {@link drivesChanged} is told: the list of them is kept. */
export function keepListOfDrives(): void {
  keepsList = true;
  drives();
}

/** A drive has come or gone. */
export function drivesChanged(): void {
  kept = undefined;
}

/** The drives that the user added, as the kernel names them, in the order in which they were added. */
export function userDrives(): readonly string[] {
  return drives().names;
}

/** Maps drive names between the promise of the API (`/dev/sda` is the first drive added) and the kernel. */
export class DeviceNames {
  readonly #translate: boolean;
  #drives: Drives | undefined;

  /** @param translate - false outside of the appliance: names are then taken as they are */
  constructor(translate: boolean) {
    this.#translate = translate;
  }

  /** Drives may have come or gone since the last call. */
  forget(): void {
    this.#drives = undefined;
  }

  /** The kernel's name of what the client calls so. */
  toKernel(device: string): string {
    if (this.#areSame(device)) return device;
    const match = namePattern.exec(device);
    if (!match) return device;
    const drive = this.#current.names[driveIndex(match[1] ?? "")];
    return drive === undefined ? device : `/dev/${drive}${match[2]}`;
  }

  /** The client's name of what the kernel calls so. */
  toClient(device: string): string {
    if (this.#areSame(device)) return device;
    const match = /^\/dev\/(sd[a-z]+)(\d*)$/.exec(device);
    const index = match ? this.#current.names.indexOf(match[1] ?? "") : -1;
    return match && index >= 0 ? `/dev/sd${driveLetters(index)}${match[2]}` : device;
  }

  /** Whether both sides call a device the same, without a closer look. */
  #areSame(device: string): boolean {
    return !this.#translate || (device.startsWith("/dev/sd") && this.#current.asPromised);
  }

  get #current(): Drives {
    this.#drives ??= drives();
    return this.#drives;
  }
}

/** Whether a path names a block device of this side. */
export function isBlockDevice(path: string): boolean {
  return path.startsWith("/dev/") && pathType(path) === constants.S_IFBLK;
}

const [zero, nine] = [0x30, 0x39];

/** Whether a name is that of a partition of a drive, in the appliance. */
export function isPartition(device: string): boolean {
  const last = device.charCodeAt(device.length - 1);
  return device.startsWith("/dev/sd") && last >= zero && last <= nine;
}

/** A device, or a subvolume of the btrfs file system on it. */
export interface Mountable {
  readonly device: string;
  readonly subvolume?: string;
}

/**
 * Takes a mountable apart: `/dev/sda1` or `btrfsvol:/dev/sda1/name`. The device may hold slashes
 * (`/dev/VG/LV`), so `isDevice` tells where the subvolume's name begins.
 */
export function parseMountable(text: string, isDevice: (path: string) => boolean): Mountable {
  if (!text.startsWith("btrfsvol:")) return { device: text };
  const rest = text.slice("btrfsvol:".length);
  for (let cut = rest.indexOf("/", 1); cut > 0; cut = rest.indexOf("/", cut + 1)) {
    const device = rest.slice(0, cut);
    if (isDevice(device)) return { device, subvolume: rest.slice(cut + 1) };
  }
  throw new DaemonError(`${text}: not a mountable: no device stands behind btrfsvol:`, "EINVAL");
}
