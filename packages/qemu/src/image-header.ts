import { open, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { ImageHeader } from "./image-header-error.ts";
import { parseParallels } from "./image-header-parallels.ts";
import { parseQcow, parseQed } from "./image-header-qcow.ts";
import { parseVdi, parseVpc } from "./image-header-vdi-vpc.ts";
import { parseVhdx } from "./image-header-vhdx.ts";
import { parseVmdk } from "./image-header-vmdk.ts";

/** Bytes of the file that are looked at, from its start: 4 MiB, where QEMU has the metadata of VHDX; a first cluster of qcow2 is 2 MiB at most. */
export const imagePrefixBytes: number = 4 * 1024 * 1024;

const parsers: readonly ((prefix: Uint8Array) => ImageHeader | undefined)[] = [
  parseQcow,
  parseQed,
  parseVmdk,
  parseVdi,
  parseVhdx,
  parseVpc,
  parseParallels,
];

/**
 * Reads an image's header from the first bytes of the file: qcow2 (versions 2 and 3), qcow, QED, VMDK (sparse, ESX and text descriptors),
 * VDI, VHDX, VHD (dynamic and differencing; a fixed VHD has its mark at the end and counts as raw, as it does for QEMU), Parallels.
 * Works in time and memory bounded by the prefix, whatever is in it.
 *
 * @param prefix at most {@link imagePrefixBytes}; fewer when the file is shorter
 * @throws ImageHeaderError when a format is recognised but its header is not valid
 */
export function parseImageHeader(prefix: Uint8Array): ImageHeader {
  for (const parse of parsers) {
    const header = parse(prefix);
    if (header !== undefined) return header;
  }
  return { format: "raw", virtualSize: undefined, references: [], encrypted: false };
}

/**
 * Reads the header of a local file or block device; see {@link parseImageHeader}. For `raw` the size is the file's, 0 for a block device.
 *
 * @throws ImageHeaderError, or the system's error when the file can't be read
 */
export async function readImageHeader(path: string): Promise<ImageHeader> {
  const info = await stat(path);
  if (!info.isFile() && !info.isBlockDevice()) {
    throw Object.assign(new Error(`${path}: neither a file nor a block device`), { code: "EINVAL" });
  }
  const file = await open(path, "r");
  try {
    // Most images say all in their first 64 KiB.
    const prefix = await readPrefix(file, 65536);
    const mayContinue = prefix.length === 65536 && startsAnImage(prefix);
    const header = parseImageHeader(mayContinue ? await readPrefix(file, imagePrefixBytes) : prefix);
    return header.format === "raw" && info.isFile() ? { ...header, virtualSize: BigInt(info.size) } : header;
  } finally {
    await file.close();
  }
}

function startsAnImage(prefix: Uint8Array): boolean {
  try {
    return parseImageHeader(prefix).format !== "raw";
  } catch {
    return true;
  }
}

async function readPrefix(file: FileHandle, length: number): Promise<Uint8Array> {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}
