import { readFileSync, statSync } from "node:fs";

/** What the device mapper says of a device. */
export interface MapperDevice {
  /** name under /dev/mapper */
  readonly name: string;
  /** `LVM-...`, `CRYPT-...`; empty when it has none */
  readonly uuid: string;
}

function attribute(device: string, name: string): string {
  return readFileSync(`/sys/dev/block/${device}/dm/${name}`, "utf8").replace(/\n$/, "");
}

/** Looks a block device up in the device mapper; `undefined` when it is not one of its devices. */
export function mapperDevice(path: string): MapperDevice | undefined {
  const stat = statSync(path);
  if (!stat.isBlockDevice()) return undefined;
  // Linux's encoding of the number in st_rdev, see makedev(3).
  const major = (stat.rdev >>> 8) & 0xfff;
  const minor = (stat.rdev & 0xff) | ((stat.rdev >>> 12) & 0xfff00);
  const device = `${major}:${minor}`;
  try {
    return { name: attribute(device, "name"), uuid: attribute(device, "uuid") };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * `/dev/VG/LV` of a device that is a logical volume, `undefined` of another.
 * LVM joins both names with `-` and doubles each `-` in them.
 */
export function logicalVolumeName({ name, uuid }: MapperDevice): string | undefined {
  if (!uuid.startsWith("LVM-")) return undefined;
  const match = /^((?:[^-]|--)+)-((?:[^-]|--)+)$/.exec(name);
  return match ? `/dev/${(match[1] ?? "").replaceAll("--", "-")}/${(match[2] ?? "").replaceAll("--", "-")}` : undefined;
}
