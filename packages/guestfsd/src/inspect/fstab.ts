import { driveIndex, isBlockDevice } from "../device.ts";
import { publicName } from "../block-device.ts";
import type { DeviceFinder } from "./device-finder.ts";
import type { MountEntry } from "./operating-system.ts";

/** A line of fstab(5). */
export interface FstabLine {
  readonly spec: string;
  readonly file: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** Space, tab and the like stand as `\040` in a field. */
function unescape(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8) & 0xff));
}

const linesMax = 1000;

/** Reads fstab(5). */
export function parseFstab(lines: readonly string[]): FstabLine[] {
  const result: FstabLine[] = [];
  for (const line of lines) {
    const fields = line.trim().split(/\s+/);
    const [spec = "", file = "", type = "", options = ""] = fields;
    if (spec === "" || spec.startsWith("#") || fields.length < 2) continue;
    result.push({ spec: unescape(spec), file: unescape(file), type, options: options.split(",") });
    if (result.length === linesMax) break;
  }
  return result;
}

function unquote(text: string): string {
  return /^(["']).*\1$/.test(text) ? text.slice(1, -1) : text;
}

const tagOfName: Readonly<Record<string, string>> = {
  UUID: "UUID",
  LABEL: "LABEL",
  PARTUUID: "PART_ENTRY_UUID",
  PARTLABEL: "PART_ENTRY_NAME",
};

const tagOfFolder: Readonly<Record<string, string>> = {
  "by-uuid": "UUID",
  "by-label": "LABEL",
  "by-partuuid": "PART_ENTRY_UUID",
  "by-partlabel": "PART_ENTRY_NAME",
};

function partition(text: string | undefined): number | undefined {
  return text === undefined || text === "" ? undefined : Number(text);
}

/** FreeBSD's partitions in a slice follow the four of the MBR in Linux; `c` is the whole slice. */
function bsdPartition(letter: string): number {
  const index = letter.charCodeAt(0) - 97;
  return 5 + (index > 2 ? index - 1 : index);
}

function byName(finder: DeviceFinder, name: string): string | undefined {
  const plain = /^(?:sd|hd|vd|xvd)([a-z]{1,3})(\d{0,3})$/.exec(name);
  if (plain) return finder.drive(driveIndex(plain[1] ?? ""), partition(plain[2]));
  const numbered = /^(?:nvme(\d{1,3})n1|mmcblk(\d{1,3})|cciss\/c0d(\d{1,3}))(?:p(\d{1,3}))?$/.exec(name);
  if (numbered) return finder.drive(Number(numbered[1] ?? numbered[2] ?? numbered[3]), partition(numbered[4]));
  const slice = /^(?:ada|ad|da|vtbd|wd|sd)(\d{1,3})(?:s\d)?([a-h])$/.exec(name);
  if (slice) return finder.drive(Number(slice[1]), bsdPartition(slice[2] ?? "a"));
  const gpt = /^(?:ada|ad|da|vtbd)(\d{1,3})p(\d{1,3})$/.exec(name);
  if (gpt) return finder.drive(Number(gpt[1]), Number(gpt[2]));
  return undefined;
}

/** The device that the first field of a line means, `undefined` when there is none. */
export function resolveSpec(spec: string, finder: DeviceFinder, root: string): string | undefined {
  const tag = /^([A-Z]+)=(.*)$/.exec(spec);
  if (tag) {
    const name = tagOfName[tag[1] ?? ""];
    return name === undefined ? undefined : finder.by(name, unquote(tag[2] ?? ""));
  }
  if (!spec.startsWith("/dev/")) return undefined;
  if (spec === "/dev/root") return root;
  const link = /^\/dev\/disk\/(by-[a-z]+)\/(.+)$/.exec(spec);
  if (link) {
    const name = tagOfFolder[link[1] ?? ""];
    return name === undefined ? undefined : finder.by(name, link[2] ?? "");
  }
  if (spec.startsWith("/dev/mapper/")) return finder.mapped(spec.slice("/dev/mapper/".length));
  const found = byName(finder, spec.slice("/dev/".length));
  if (found !== undefined) return found;
  return isBlockDevice(spec) ? publicName(spec) : undefined;
}

function ignored({ spec, file, type }: FstabLine): boolean {
  if (/^\/dev\/(?:fd\d|floppy|cdrom|cdroms|dvd|sr\d|cd\d)/.test(spec)) return true;
  if (type === "swap") return false;
  return !file.startsWith("/") || type === "iso9660" || type === "cd9660";
}

/** What a guest mounts, on the devices of this side. */
export function mountsOf(lines: readonly string[], finder: DeviceFinder, root: string): MountEntry[] {
  const entries: MountEntry[] = [];
  const rootDevice = root.startsWith("btrfsvol:") ? undefined : root;
  for (const line of parseFstab(lines)) {
    if (ignored(line)) continue;
    const device = resolveSpec(line.spec, finder, rootDevice ?? root);
    if (device === undefined) continue;
    const subvolume = line.options
      .find((option) => option.startsWith("subvol="))
      ?.slice("subvol=".length)
      .replace(/^\/+/, "");
    const mountable =
      line.type === "btrfs" && subvolume && !device.startsWith("btrfsvol:")
        ? `btrfsvol:${device}/${subvolume}`
        : device;
    entries.push({ mountable, mountpoint: line.type === "swap" ? "swap" : line.file.replace(/(.)\/+$/, "$1") });
  }
  return entries;
}
