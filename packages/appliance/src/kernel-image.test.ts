import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { decompressKernel, kernelPayload } from "./kernel-image.ts";
import { findKernel } from "./kernel.ts";

/** A bzImage of our own around a payload. */
function bzImage(payload: Uint8Array): Buffer {
  const image = Buffer.alloc(2048 + payload.length);
  image.writeUInt8(1, 0x1f1);
  image.write("HdrS", 0x202, "latin1");
  image.writeUInt16LE(0x020f, 0x206);
  image.writeUInt32LE(1024, 0x248);
  image.writeUInt32LE(payload.length, 0x24c);
  image.set(payload, 2048);
  return image;
}

test("this host's kernel becomes an ELF file", async () => {
  const elf = await decompressKernel(await readFile(findKernel().image));
  assert.ok(elf !== undefined && elf.length > 1024 * 1024);
});

test("an ELF file that can't be started by itself is not taken", async () => {
  const elf = Buffer.alloc(2 * 1024 * 1024);
  elf.write("\x7fELF", 0, "latin1");
  const payload = gzipSync(elf);
  assert.equal(kernelPayload(bzImage(payload))?.compression, "gzip");
  assert.equal(await decompressKernel(bzImage(payload)), undefined);
});

test("any bytes in a kernel image", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat(0x270), fc.nat(255), async (payload, offset, value) => {
      const image = bzImage(payload);
      image[offset] = value;
      assert.equal(await decompressKernel(image), undefined);
    }),
    { numRuns: 200 },
  );
});
