import { ascii, HeaderBytes, hasMagic } from "./header-bytes.ts";
import type { ImageHeader } from "./image-header-error.ts";

const VDI_DIFFERENCING = 4;

/** VDI of VirtualBox: a differencing image has a parent that is known by its identifier only. */
export function parseVdi(prefix: Uint8Array): ImageHeader | undefined {
  if (!hasMagic(prefix, [0x7f, 0x10, 0xda, 0xbe], 64)) return undefined;
  const header = new HeaderBytes(prefix, "vdi", "little");
  const virtualSize = header.u64(368, "disk_size");
  const parentIdentifier = header.slice(424, 16, "uuid_link");
  const hasParent = header.u32(76, "image_type") === VDI_DIFFERENCING || parentIdentifier.some((byte) => byte !== 0);
  return { format: "vdi", virtualSize, references: hasParent ? [{ kind: "backing", name: "" }] : [], encrypted: false };
}

const VPC_DIFFERENCING = 4;

/** VHD, dynamic or differencing: a copy of the footer stands at the start (Microsoft, "Virtual Hard Disk Image Format Specification"). */
export function parseVpc(prefix: Uint8Array): ImageHeader | undefined {
  if (!hasMagic(prefix, ascii("conectix"))) return undefined;
  const header = new HeaderBytes(prefix, "vpc", "big");
  const virtualSize = header.u64(48, "current size");
  const differencing = header.u32(60, "disk type") === VPC_DIFFERENCING;
  return {
    format: "vpc",
    virtualSize,
    references: differencing ? [{ kind: "backing", name: "" }] : [],
    encrypted: false,
  };
}
