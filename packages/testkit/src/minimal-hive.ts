const headerSize = 0x1000;
const binSize = 0x1000;
const rootAt = 0x20;
const securityAt = 0x80;
const freeAt = 0xa0;
const none = 0xffff_ffff;

/** A hive of the Windows registry with nothing but its root key, laid out as the kernel of Windows and libhivex read it. */
export function minimalHive(): Uint8Array {
  const bytes = Buffer.alloc(headerSize + binSize);
  bytes.write("regf", 0);
  // sequence numbers, version 1.3, kind, layout, root, length of all bins, cluster
  const header: [number, number][] = [
    [4, 1],
    [8, 1],
    [20, 1],
    [24, 3],
    [32, 1],
    [36, rootAt],
    [40, binSize],
    [44, 1],
  ];
  for (const [at, value] of header) bytes.writeUInt32LE(value, at);
  let sum = 0;
  for (let at = 0; at < 508; at += 4) sum ^= bytes.readUInt32LE(at);
  bytes.writeUInt32LE(sum >>> 0, 508);

  const bin = bytes.subarray(headerSize);
  bin.write("hbin", 0);
  bin.writeUInt32LE(binSize, 8);
  // A cell in use has its length negated.
  bin.writeInt32LE(-(securityAt - rootAt), rootAt);
  const root = bin.subarray(rootAt + 4);
  root.write("nk", 0);
  // KEY_HIVE_ENTRY, KEY_NO_DELETE, KEY_COMP_NAME
  root.writeUInt16LE(0x2c, 2);
  for (const at of [0x10, 0x1c, 0x20, 0x28, 0x30]) root.writeUInt32LE(none, at);
  root.writeUInt32LE(securityAt, 0x2c);
  root.writeUInt16LE(4, 0x48);
  root.write("ROOT", 0x4c);
  bin.writeInt32LE(-(freeAt - securityAt), securityAt);
  const security = bin.subarray(securityAt + 4);
  security.write("sk", 0);
  security.writeUInt32LE(securityAt, 4);
  security.writeUInt32LE(securityAt, 8);
  security.writeUInt32LE(1, 12);
  bin.writeInt32LE(binSize - freeAt, freeAt);
  return new Uint8Array(bytes);
}
