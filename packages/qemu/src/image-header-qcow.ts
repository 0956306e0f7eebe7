import { ascii, HeaderBytes, hasMagic } from "./header-bytes.ts";
import type { ImageHeader, ImageReference } from "./image-header-error.ts";

const QCOW_MAGIC = [0x51, 0x46, 0x49, 0xfb];
const MAX_BACKING_NAME = 1023;
const INCOMPATIBLE_DATA_FILE = 1n << 2n;
const EXTENSION_END = 0;
const EXTENSION_BACKING_FORMAT = 0xe2792aca;
const EXTENSION_DATA_FILE = 0x44415441;
const MAX_EXTENSIONS = 256;

/** qcow version 1 and qcow2 versions 2 and 3 (QEMU documentation, docs/interop/qcow2.txt). */
export function parseQcow(prefix: Uint8Array): ImageHeader | undefined {
  if (!hasMagic(prefix, QCOW_MAGIC)) return undefined;
  const version = new HeaderBytes(prefix, "qcow2", "big").u32(4, "version");
  if (version === 1) return parseVersion1(new HeaderBytes(prefix, "qcow", "big"));
  const header = new HeaderBytes(prefix, "qcow2", "big");
  if (version !== 2 && version !== 3) header.fail(`version ${version} is not known`);
  const clusterBits = header.u32(20, "cluster_bits");
  if (clusterBits < 9 || clusterBits > 21) header.fail(`clusters of 2^${clusterBits} bytes are not allowed`);
  const references: ImageReference[] = [];
  const incompatible = version === 3 ? header.u64(72, "incompatible_features") : 0n;
  const headerLength = version === 3 ? header.u32(100, "header_length") : 72;
  if (headerLength < (version === 3 ? 104 : 72) || headerLength > 2 ** clusterBits)
    header.fail(`a header of ${headerLength} bytes is not allowed`);
  const backing = backingName(header, 8, 16, 2 ** clusterBits);
  const extensions = readExtensions(header, headerLength, backing?.offset ?? 2 ** clusterBits);
  if (backing !== undefined) {
    const format = extensions.backingFormat;
    references.push({ kind: "backing", name: backing.name, ...(format === undefined ? {} : { format }) });
  }
  if ((incompatible & INCOMPATIBLE_DATA_FILE) !== 0n || extensions.dataFile !== undefined) {
    references.push({ kind: "data", name: extensions.dataFile ?? "" });
  }
  return {
    format: "qcow2",
    virtualSize: header.u64(24, "size"),
    references,
    encrypted: header.u32(32, "crypt_method") !== 0,
  };
}

function parseVersion1(header: HeaderBytes): ImageHeader {
  const backing = backingName(header, 8, 16, header.bytes.length);
  return {
    format: "qcow",
    virtualSize: header.u64(24, "size"),
    references: backing === undefined ? [] : [{ kind: "backing", name: backing.name }],
    encrypted: header.u32(36, "crypt_method") !== 0,
  };
}

function backingName(
  header: HeaderBytes,
  offsetField: number,
  sizeField: number,
  limit: number,
): { name: string; offset: number } | undefined {
  const offset = Number(header.u64(offsetField, "backing_file_offset"));
  if (offset === 0) return undefined;
  const size = header.u32(sizeField, "backing_file_size");
  if (size > MAX_BACKING_NAME) header.fail(`a backing file name of ${size} bytes is not allowed`);
  if (offset + size > limit) header.fail("the backing file name lies outside the header");
  return { name: header.text(offset, size, "backing file name"), offset };
}

function readExtensions(
  header: HeaderBytes,
  start: number,
  end: number,
): { backingFormat?: string; dataFile?: string } {
  const found: { backingFormat?: string; dataFile?: string } = {};
  let offset = start;
  for (let count = 0; offset + 8 <= Math.min(end, header.bytes.length); count++) {
    if (count === MAX_EXTENSIONS) header.fail("too many header extensions");
    const type = header.u32(offset, "header extension");
    const length = header.u32(offset + 4, "header extension");
    if (type === EXTENSION_END) break;
    if (offset + 8 + length > end) header.fail("a header extension lies outside the header");
    if (type === EXTENSION_BACKING_FORMAT) found.backingFormat = header.text(offset + 8, length, "backing format");
    if (type === EXTENSION_DATA_FILE) found.dataFile = header.text(offset + 8, length, "data file name");
    offset += 8 + Math.ceil(length / 8) * 8;
  }
  return found;
}

const QED_FEATURE_BACKING = 1n;

/** QED (QEMU documentation, docs/interop/qed_spec.txt). */
export function parseQed(prefix: Uint8Array): ImageHeader | undefined {
  if (!hasMagic(prefix, ascii("QED\0"))) return undefined;
  const header = new HeaderBytes(prefix, "qed", "little");
  const references: ImageReference[] = [];
  if ((header.u64(16, "features") & QED_FEATURE_BACKING) !== 0n) {
    const size = header.u32(60, "backing_filename_size");
    if (size > MAX_BACKING_NAME) header.fail(`a backing file name of ${size} bytes is not allowed`);
    references.push({
      kind: "backing",
      name: header.text(header.u32(56, "backing_filename_offset"), size, "backing file name"),
    });
  }
  return { format: "qed", virtualSize: header.u64(48, "image_size"), references, encrypted: false };
}
