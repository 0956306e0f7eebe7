import { ascii, HeaderBytes, hasMagic } from "./header-bytes.ts";
import type { ImageHeader, ImageReference } from "./image-header-error.ts";

const SECTOR = 512n;
const MAX_DESCRIPTOR_SECTORS = 128n;
const MAX_EXTENTS = 4096;
const TEXT_START = "# Disk DescriptorFile";

/** VMDK: hosted sparse extents (`KDMV`), ESX sparse extents (`COWD`) and text descriptors (VMware, "Virtual Disk Format 5.0"). */
export function parseVmdk(prefix: Uint8Array): ImageHeader | undefined {
  if (hasMagic(prefix, ascii("KDMV"))) return parseSparse(new HeaderBytes(prefix, "vmdk", "little"));
  if (hasMagic(prefix, ascii("COWD"))) {
    const header = new HeaderBytes(prefix, "vmdk", "little");
    return {
      format: "vmdk",
      virtualSize: BigInt(header.u32(12, "capacity")) * SECTOR,
      references: [],
      encrypted: false,
    };
  }
  const start = new TextDecoder("latin1").decode(prefix.subarray(0, 4096));
  // QEMU takes comments and empty lines before the line that names the version.
  if (!/^(#[^\n]*\n|\s*\n)*\s*version=\d/i.test(start) && !start.startsWith(TEXT_START)) return undefined;
  return parseTextDescriptor(new HeaderBytes(prefix, "vmdk", "little"));
}

function parseSparse(header: HeaderBytes): ImageHeader {
  const virtualSize = header.u64(12, "capacity") * SECTOR;
  const [offset, size] = [header.u64(28, "descriptorOffset"), header.u64(36, "descriptorSize")];
  if (offset === 0n || size === 0n) return { format: "vmdk", virtualSize, references: [], encrypted: false };
  if (size > MAX_DESCRIPTOR_SECTORS) header.fail(`a descriptor of ${size} sectors is not allowed`);
  if (offset > BigInt(header.bytes.length)) header.fail("the descriptor lies outside the header");
  const text = header.text(Number(offset * SECTOR), Number(size * SECTOR), "descriptor");
  // The extent lines of an embedded descriptor name the file itself and are not followed.
  return { format: "vmdk", virtualSize, references: parents(text), encrypted: false };
}

function parseTextDescriptor(header: HeaderBytes): ImageHeader {
  const length = Math.min(header.bytes.length, Number(MAX_DESCRIPTOR_SECTORS * SECTOR));
  const text = header.text(0, length, "descriptor");
  const references = parents(text);
  let sectors = 0n;
  let count = 0;
  for (const line of text.split("\n")) {
    const match = /^\s*(?:RW|RDONLY|NOACCESS)\s+(\d{1,18})\s+(\S+)(?:\s+"([^"\n]*)")?/.exec(line);
    if (match === null) continue;
    if (++count > MAX_EXTENTS) header.fail("too many extents");
    sectors += BigInt(match[1] ?? "0");
    if (match[2] !== "ZERO") references.push({ kind: "extent", name: match[3] ?? "" });
  }
  return { format: "vmdk", virtualSize: sectors * SECTOR, references, encrypted: false };
}

function parents(descriptor: string): ImageReference[] {
  const end = descriptor.indexOf("\0");
  const text = end === -1 ? descriptor : descriptor.slice(0, end);
  const hint = /^\s*parentFileNameHint\s*=\s*"([^"\n]*)/im.exec(text);
  const parent = /^\s*parentCID\s*=\s*([0-9a-f]+)/im.exec(text);
  const hasParent = parent !== null && (parent[1] ?? "").toLowerCase() !== "ffffffff";
  return hint !== null || hasParent ? [{ kind: "backing", name: hint?.[1] ?? "" }] : [];
}
