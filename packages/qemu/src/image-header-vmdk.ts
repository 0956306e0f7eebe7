import { ascii, HeaderBytes, hasMagic } from "./header-bytes.ts";
import type { ImageHeader, ImageReference } from "./image-header-error.ts";

const SECTOR = 512n;
const MAX_DESCRIPTOR_SECTORS = 128n;
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
  return beginsAsText(prefix) ? parseTextDescriptor(new HeaderBytes(prefix, "vmdk", "little")) : undefined;
}

/** QEMU takes comments and empty lines before the line that names the version. */
function beginsAsText(prefix: Uint8Array): boolean {
  const start = new TextDecoder("latin1").decode(prefix.subarray(0, 4096));
  if (start.startsWith(TEXT_START)) return true;
  const first = start.split("\n").find((line) => !line.startsWith("#") && line.trim() !== "");
  return first !== undefined && /^[ \t\r]*version=\d/i.test(first);
}

function parseSparse(header: HeaderBytes): ImageHeader {
  const virtualSize = header.u64(12, "capacity") * SECTOR;
  const [offset, size] = [header.u64(28, "descriptorOffset"), header.u64(36, "descriptorSize")];
  if (offset === 0n || size === 0n) return { format: "vmdk", virtualSize, references: [], encrypted: false };
  if (size > MAX_DESCRIPTOR_SECTORS) header.fail(`a descriptor of ${size} sectors is not allowed`);
  if (offset > BigInt(header.bytes.length)) header.fail("the descriptor lies outside the header");
  const text = header.text(Number(offset * SECTOR), Number(size * SECTOR), "descriptor");
  const references = parents(text);
  // QEMU follows the extents of an embedded descriptor where the extent that it is in says that it has no sectors.
  if (virtualSize === 0n) references.push(extentIn(text));
  return { format: "vmdk", virtualSize, references, encrypted: false };
}

function parseTextDescriptor(header: HeaderBytes): ImageHeader {
  const length = Math.min(header.bytes.length, Number(MAX_DESCRIPTOR_SECTORS * SECTOR));
  const text = header.text(0, length, "descriptor");
  return {
    format: "vmdk",
    virtualSize: sectorsIn(text) * SECTOR,
    // A descriptor alone holds no data. Which lines QEMU takes for extents is QEMU's to say, in up to 1 MiB of them.
    references: [...parents(text), extentIn(text)],
    encrypted: false,
  };
}

/** The first file that is named where extents are, for messages. */
function extentIn(text: string): ImageReference {
  return { kind: "extent", name: /^[ \t]*(?:RW|RDONLY|NOACCESS)[^"\n]*"([^"\n]*)"/m.exec(text)?.[1] ?? "" };
}

function sectorsIn(text: string): bigint {
  const sizes = text.matchAll(/^[ \t]*(?:RW|RDONLY|NOACCESS)[ \t]+(\d{1,18})[ \t]/gm);
  return [...sizes].reduce((sum, [, sectors]) => sum + BigInt(sectors ?? "0"), 0n);
}

function parents(descriptor: string): ImageReference[] {
  const end = descriptor.indexOf("\0");
  const text = end === -1 ? descriptor : descriptor.slice(0, end);
  const hint = /^[ \t]*parentFileNameHint[ \t]*=[ \t]*"([^"\n]*)/im.exec(text);
  const parent = /^[ \t]*parentCID[ \t]*=[ \t]*([0-9a-f]+)/im.exec(text);
  const hasParent = parent !== null && (parent[1] ?? "").toLowerCase() !== "ffffffff";
  return hint !== null || hasParent ? [{ kind: "backing", name: hint?.[1] ?? "" }] : [];
}
