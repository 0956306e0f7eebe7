const CLUSTER_BITS = 16;
const CLUSTER = 1 << CLUSTER_BITS;
const ENTRY = 8;
const HEADER_LENGTH = 104;
// One entry of the first table leads to a cluster of entries for clusters.
const BYTES_PER_L1_ENTRY = (CLUSTER / ENTRY) * CLUSTER;
const SECTOR = 512;

// QEMU takes no first table of more than 32 MiB.
const MOST_BYTES = (2 ** 25 / ENTRY) * BYTES_PER_L1_ENTRY;

/**
 * An empty qcow2 image of version 3, without a name of a backing file (QEMU documentation, "The qcow2 image format"): header, refcount
 * table, refcount block, and the first-level table of nothing.
 *
 * @param bytes size of the disk; rounded up to 512
 * @throws RangeError for more than 2 PiB, which QEMU does not take
 */
export function emptyQcow2(bytes: number): Uint8Array {
  if (bytes > MOST_BYTES) throw new RangeError(`an image of more than 2 PiB (${bytes} bytes) can't have an overlay`);
  const size = Math.ceil(bytes / SECTOR) * SECTOR;
  const l1Entries = Math.max(1, Math.ceil(size / BYTES_PER_L1_ENTRY));
  const l1Clusters = Math.ceil((l1Entries * ENTRY) / CLUSTER);
  const clusters = 3 + l1Clusters;
  const image = Buffer.alloc(clusters * CLUSTER);
  image.write("QFI\u00fb", 0, "latin1");
  image.writeUInt32BE(3, 4);
  image.writeUInt32BE(CLUSTER_BITS, 20);
  image.writeBigUInt64BE(BigInt(size), 24);
  image.writeUInt32BE(l1Entries, 36);
  image.writeBigUInt64BE(BigInt(3 * CLUSTER), 40);
  image.writeBigUInt64BE(BigInt(CLUSTER), 48);
  image.writeUInt32BE(1, 56);
  // Refcounts of 1 << 4 bits.
  image.writeUInt32BE(4, 96);
  image.writeUInt32BE(HEADER_LENGTH, 100);
  image.writeBigUInt64BE(BigInt(2 * CLUSTER), CLUSTER);
  for (let cluster = 0; cluster < clusters; cluster++) image.writeUInt16BE(1, 2 * CLUSTER + 2 * cluster);
  return image;
}
