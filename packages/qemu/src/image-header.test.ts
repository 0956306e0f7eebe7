import assert from "node:assert/strict";
import { mkdtemp, open, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { imagePrefixBytes, parseImageHeader, readImageHeader } from "./image-header.ts";
import { ImageHeaderError } from "./image-header-error.ts";
import type { ImageFormat, ImageHeader } from "./image-header-error.ts";
import { runOwned } from "./owned-process.ts";

let folder = "";
const MIB = 1024n * 1024n;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "image-header-"));
});
after(() => rm(folder, { recursive: true }));

async function make(name: string, format: string, ...args: string[]): Promise<string> {
  await runOwned("qemu-img", ["create", "-q", "-f", format, ...args, name, "100M"], { cwd: folder });
  return join(folder, name);
}

test("plain images that qemu-img makes", async () => {
  const formats: ImageFormat[] = ["raw", "qcow2", "qcow", "qed", "vmdk", "vdi", "vhdx", "parallels"];
  for (const format of formats) {
    const header = await readImageHeader(await make(`plain.${format}`, format));
    assert.deepEqual(header, { format, virtualSize: 100n * MIB, references: [], encrypted: false });
  }
  const vpc = await readImageHeader(await make("plain.vpc", "vpc"));
  assert.equal(vpc.format, "vpc");
  assert.deepEqual(vpc.references, []);
});

test("images that name other files", async () => {
  await make("base.raw", "raw");
  await make("base.vmdk", "vmdk");
  const expected: [file: string, references: ImageHeader["references"]][] = [
    [
      await make("a.qcow2", "qcow2", "-b", "base.raw", "-F", "raw"),
      [{ kind: "backing", name: "base.raw", format: "raw" }],
    ],
    [await make("a.qcow", "qcow", "-b", "base.raw", "-F", "raw"), [{ kind: "backing", name: "base.raw" }]],
    [await make("a.qed", "qed", "-b", "base.raw", "-F", "raw"), [{ kind: "backing", name: "base.raw" }]],
    [await make("a.vmdk", "vmdk", "-b", "base.vmdk", "-F", "vmdk"), [{ kind: "backing", name: "base.vmdk" }]],
    [await make("d.qcow2", "qcow2", "-o", "data_file=data.raw"), [{ kind: "data", name: "data.raw" }]],
    [await make("f.vmdk", "vmdk", "-o", "subformat=monolithicFlat"), [{ kind: "extent", name: "f-flat.vmdk" }]],
  ];
  for (const [file, references] of expected)
    assert.deepEqual((await readImageHeader(file)).references, references, file);
});

test("a data file that only the feature bit tells of, as CVE-2024-32498 could hide it", async () => {
  const bytes = await readFile(await make("bit.qcow2", "qcow2"));
  const bit = Buffer.from(bytes);
  bit.writeUInt8(bit.readUInt8(79) | 4, 79);
  assert.deepEqual(parseImageHeader(bit).references, [{ kind: "data", name: "" }]);
});

test("text descriptors in forms that QEMU recognises too", () => {
  const texts = [
    '# Disk DescriptorFile\nversion=1\nRW 4 FLAT "/etc/shadow" 0\n',
    '# a comment\n\nversion=2\ncreateType="monolithicFlat"\nRW 4 FLAT "/etc/shadow" 0\n',
    '#x\r\nversion=3\n  rdonly ignored\nRDONLY 4 FLAT "/etc/shadow" 0\n',
  ];
  for (const text of texts) {
    const header = parseImageHeader(Buffer.from(text));
    assert.equal(header.format, "vmdk", text);
    assert.deepEqual(header.references, [{ kind: "extent", name: "/etc/shadow" }]);
  }
});

test("text descriptors whose extents QEMU reads and a stricter reader would not", () => {
  const head = "# Disk DescriptorFile\nversion=1\nparentCID=ffffffff\n";
  const comments = `#${"x".repeat(99)}\n`.repeat(700);
  const embedded = Buffer.alloc(65536);
  embedded.write("KDMV", "latin1");
  embedded.writeBigUInt64LE(1n, 28);
  embedded.writeBigUInt64LE(20n, 36);
  embedded.write(`${head}RW 8 FLAT "/etc/shadow" 0\n`, 512, "latin1");
  for (const image of [
    ...["RW +8 FLAT", "RW 8FLAT", "RW\n8\nFLAT\n", "RW 00000000000000000000008 FLAT"].map((line) =>
      Buffer.from(`${head}${line} "/etc/shadow" 0\n`),
    ),
    Buffer.from(`${head}${comments}RW 8 FLAT "/etc/shadow" 0\n`),
    Buffer.from(head),
    embedded,
  ]) {
    const { format, references } = parseImageHeader(image);
    assert.deepEqual(
      [format, references.map(({ kind }) => kind)],
      ["vmdk", ["extent"]],
      image.toString("latin1", 0, 200),
    );
  }
});

test("lines that are empty take no longer than others", () => {
  const sparse = Buffer.alloc(70_000, "\n");
  sparse.fill(0, 0, 512);
  sparse.write("KDMV", "latin1");
  sparse.writeBigUInt64LE(100n, 12);
  sparse.writeBigUInt64LE(1n, 28);
  sparse.writeBigUInt64LE(128n, 36);
  assert.equal(parseImageHeader(sparse).format, "vmdk");
  assert.equal(parseImageHeader(Buffer.alloc(4096, "\n")).format, "raw");
  assert.equal(parseImageHeader(Buffer.from(`${"\n".repeat(60)}no image`)).format, "raw");
});

test("damaged headers are told from other files", async () => {
  const good = await readFile(await make("good.qcow2", "qcow2", "-b", "base.raw", "-F", "raw"));
  const damage = (offset: number, ...bytes: number[]): Buffer => {
    const copy = Buffer.from(good);
    copy.set(bytes, offset);
    return copy;
  };
  const damaged: [Buffer, RegExp][] = [
    [good.subarray(0, 30), /outside the header/],
    [damage(4, 0, 0, 0, 9), /version 9/],
    [damage(20, 0, 0, 0, 60), /clusters of 2\^60/],
    [damage(16, 0xff, 0xff, 0xff, 0xff), /backing file name of 4294967295/],
    [damage(8, 0, 0, 0xff, 0xff, 0, 0, 0, 0), /outside the header/],
    [damage(100, 0, 0, 0, 8), /header of 8 bytes/],
  ];
  for (const [bytes, words] of damaged) {
    assert.throws(
      () => parseImageHeader(bytes),
      (error) => error instanceof ImageHeaderError && words.test(error.message),
    );
  }
});

test("files that are short, empty, large, or no files", async () => {
  const path = join(folder, "sparse");
  await writeFile(path, "");
  assert.deepEqual(await readImageHeader(path), { format: "raw", virtualSize: 0n, references: [], encrypted: false });
  await truncate(path, 2 ** 41);
  assert.equal((await readImageHeader(path)).virtualSize, 1n << 41n);
  const file = await open(path, "r+");
  await file.write("QFI\xfb", 0, "latin1");
  await file.close();
  await assert.rejects(readImageHeader(path), ImageHeaderError);
  await assert.rejects(readImageHeader(folder), { code: "EINVAL" });
  await assert.rejects(readImageHeader("/dev/null"), { code: "EINVAL" });
  await assert.rejects(readImageHeader(join(folder, "missing")), { code: "ENOENT" });
});

/** Any bytes give a header or a typed error. */
function holds(bytes: Uint8Array): void {
  try {
    const header = parseImageHeader(bytes);
    assert.ok(header.references.length <= 4097);
    for (const { name } of header.references) assert.ok(name.length <= imagePrefixBytes);
  } catch (error) {
    if (!(error instanceof ImageHeaderError)) throw error;
  }
}

test("any bytes after any magic number", () => {
  const magics = [
    "QFI\xfb\0\0\0\x01",
    "QFI\xfb\0\0\0\x02",
    "QFI\xfb\0\0\0\x03",
    "QED\0",
    "KDMV",
    "COWD",
    "# Disk DescriptorFile\n",
    "vhdxfile",
    "conectix",
    "WithoutFreeSpace",
    "",
  ];
  const input = fc.tuple(fc.constantFrom(...magics), fc.uint8Array({ maxLength: 2000 }));
  fc.assert(
    fc.property(input, ([magic, bytes]) => holds(Buffer.concat([Buffer.from(magic, "latin1"), bytes]))),
    { numRuns: 3000 },
  );
});

test("real headers with bytes changed", async () => {
  const files = ["a.qcow2", "d.qcow2", "a.vmdk", "f.vmdk", "a.qed", "plain.vdi", "plain.vpc", "plain.parallels"];
  const headers = await Promise.all(
    files.map(async (name) => (await readFile(join(folder, name))).subarray(0, 70_000)),
  );
  const change = fc.tuple(fc.nat(600), fc.nat(255));
  fc.assert(
    fc.property(fc.constantFrom(...headers), fc.array(change, { maxLength: 8 }), (header, changes) => {
      const copy = Buffer.from(header);
      for (const [offset, value] of changes) if (offset < copy.length) copy[offset] = value;
      holds(copy);
    }),
    { numRuns: 1000 },
  );
  const vhdx = (await readFile(join(folder, "plain.vhdx"))).subarray(0, imagePrefixBytes);
  const offsets = fc.tuple(fc.constantFrom(192 * 1024, 256 * 1024, 2 * 1024 * 1024), fc.nat(300), fc.nat(255));
  fc.assert(
    fc.property(fc.array(offsets, { maxLength: 8 }), (changes) => {
      const copy = Buffer.from(vhdx);
      for (const [start, offset, value] of changes) copy[start + offset] = value;
      holds(copy);
    }),
    { numRuns: 100 },
  );
});
