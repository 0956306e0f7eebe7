import { readSync } from "node:fs";
import type { Isoinfo } from "@guestfs/schema";
import { DaemonError } from "./daemon-error.ts";

// ECMA-119: volume descriptors of 2048 bytes begin at sector 16.
const descriptorSize = 2048;
const firstDescriptor = 16;
const descriptorsMax = 64;
const primary = 1;
const terminator = 255;

/** Seconds since 1970 of a date of 17 characters (ECMA-119 8.4.26.1), -1 when it is not given. */
export function parseVolumeDate(bytes: Uint8Array): number {
  const digits = Buffer.from(bytes.subarray(0, 16)).toString("latin1");
  if (!/^\d{16}$/.test(digits) || /^0+$/.test(digits)) return -1;
  const part = (from: number, to: number): number => Number(digits.slice(from, to));
  // In steps of a quarter of an hour east of Greenwich.
  const offset = (((bytes[16] ?? 0) << 24) >> 24) * 15 * 60;
  const time = Date.UTC(part(0, 4), part(4, 6) - 1, part(6, 8), part(8, 10), part(10, 12), part(12, 14)) / 1000;
  return time - offset;
}

function parsePrimary(block: Buffer): Isoinfo {
  const text = (from: number, length: number): string =>
    block
      .toString("latin1", from, from + length)
      .replace(/\0.*$/s, "")
      .trimEnd();
  const date = (from: number): number => parseVolumeDate(block.subarray(from, from + 17));
  return {
    iso_system_id: text(8, 32),
    iso_volume_id: text(40, 32),
    iso_volume_space_size: block.readUInt32LE(80),
    iso_volume_set_size: block.readUInt16LE(120),
    iso_volume_sequence_number: block.readUInt16LE(124),
    iso_logical_block_size: block.readUInt16LE(128),
    iso_volume_set_id: text(190, 128),
    iso_publisher_id: text(318, 128),
    iso_data_preparer_id: text(446, 128),
    iso_application_id: text(574, 128),
    iso_copyright_file_id: text(702, 37),
    iso_abstract_file_id: text(739, 37),
    iso_bibliographic_file_id: text(776, 37),
    iso_volume_creation_t: date(813),
    iso_volume_modification_t: date(830),
    iso_volume_expiration_t: date(847),
    iso_volume_effective_t: date(864),
  };
}

/** The primary volume descriptor of an ISO 9660 filesystem; `name` is for the message when there is none. */
export function readIsoVolume(fd: number, name: string): Isoinfo {
  const block = Buffer.alloc(descriptorSize);
  for (let sector = firstDescriptor; sector < firstDescriptor + descriptorsMax; sector++) {
    const length = readSync(fd, block, 0, descriptorSize, sector * descriptorSize);
    if (length < descriptorSize || block.toString("latin1", 1, 6) !== "CD001" || block[0] === terminator) break;
    if (block[0] === primary) return parsePrimary(block);
  }
  throw new DaemonError(`${name}: no ISO 9660 filesystem`, "EINVAL");
}
