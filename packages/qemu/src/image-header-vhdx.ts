import { ascii, HeaderBytes, hasMagic } from "./header-bytes.ts";
import type { ImageHeader } from "./image-header-error.ts";

const REGION_TABLES = [192 * 1024, 256 * 1024];
const MAX_ENTRIES = 2047;
// GUIDs in the byte order of the file.
const METADATA_REGION = "06a27c8b90479a4bb8fe575f050f886e";
const FILE_PARAMETERS = "3767a1ca36fa434db3b633f0aa44e76b";
const VIRTUAL_DISK_SIZE = "2442a52f1bcd7648b2115dbed83bf4b8";
const PARENT_LOCATOR = "2d5fd3a80bb34d45abf7d3d84834ab0c";
const HAS_PARENT = 2;

const guid = (header: HeaderBytes, offset: number): string =>
  Buffer.from(header.slice(offset, 16, "identifier")).toString("hex");

/** VHDX ([MS-VHDX]: region table, metadata table). When the metadata lies beyond the prefix, the size stays unknown. */
export function parseVhdx(prefix: Uint8Array): ImageHeader | undefined {
  if (!hasMagic(prefix, ascii("vhdxfile"))) return undefined;
  const header: HeaderBytes = new HeaderBytes(prefix, "vhdx", "little");
  const metadata = metadataOffset(header);
  if (metadata === undefined) header.fail("no metadata region within the first 4 MiB");
  if (!hasMagic(header.bytes, ascii("metadata"), metadata)) header.fail("the metadata region has no table");
  const count = header.u16(metadata + 10, "metadata table");
  if (count > MAX_ENTRIES) header.fail("too many metadata entries");
  let virtualSize: bigint | undefined;
  let parent = false;
  for (let i = 0; i < count; i++) {
    const entry = metadata + 32 + i * 32;
    const item = metadata + header.u32(entry + 16, "metadata entry");
    switch (guid(header, entry)) {
      case FILE_PARAMETERS:
        parent ||= (header.u32(item + 4, "file parameters") & HAS_PARENT) !== 0;
        break;
      case VIRTUAL_DISK_SIZE:
        virtualSize = header.u64(item, "virtual disk size");
        break;
      case PARENT_LOCATOR:
        parent = true;
        break;
    }
  }
  return { format: "vhdx", virtualSize, references: parent ? [{ kind: "backing", name: "" }] : [], encrypted: false };
}

function metadataOffset(header: HeaderBytes): number | undefined {
  for (const table of REGION_TABLES) {
    if (!hasMagic(header.bytes, ascii("regi"), table)) continue;
    const count = header.u32(table + 8, "region table");
    if (count > MAX_ENTRIES) header.fail("too many regions");
    for (let i = 0; i < count; i++) {
      const entry = table + 16 + i * 32;
      if (guid(header, entry) !== METADATA_REGION) continue;
      const offset = header.u64(entry + 16, "metadata region");
      return offset + 65536n <= BigInt(header.bytes.length) ? Number(offset) : undefined;
    }
  }
  return undefined;
}
