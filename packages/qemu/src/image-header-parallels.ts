import { ascii, HeaderBytes, hasMagic } from "./header-bytes.ts";
import type { ImageHeader } from "./image-header-error.ts";

/** Parallels expandable images, both versions (QEMU documentation, docs/interop/parallels.txt). */
export function parseParallels(prefix: Uint8Array): ImageHeader | undefined {
  const first = hasMagic(prefix, ascii("WithoutFreeSpace"));
  if (!first && !hasMagic(prefix, ascii("WithouFreSpacExt"))) return undefined;
  const header = new HeaderBytes(prefix, "parallels", "little");
  const sectors = first ? BigInt(header.u32(36, "nb_sectors")) : header.u64(36, "nb_sectors");
  return { format: "parallels", virtualSize: sectors * 512n, references: [], encrypted: false };
}
