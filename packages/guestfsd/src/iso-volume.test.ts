import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parseVolumeDate, readIsoVolume } from "./iso-volume.ts";

const folder = mkdtempSync(join(tmpdir(), "iso-volume-test-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function readImage(image: Buffer): ReturnType<typeof readIsoVolume> {
  const path = join(folder, "image");
  writeFileSync(path, image);
  const fd = openSync(path, "r");
  try {
    return readIsoVolume(fd, "the image");
  } finally {
    closeSync(fd);
  }
}

const date = (text: string, zone: number): Uint8Array => Buffer.concat([Buffer.from(text), Buffer.from([zone & 0xff])]);

test("dates with their zone", () => {
  assert.equal(parseVolumeDate(date("2026112219301500", 0)), Date.UTC(2026, 10, 22, 19, 30, 15) / 1000);
  assert.equal(parseVolumeDate(date("2026112219301500", 4)), Date.UTC(2026, 10, 22, 18, 30, 15) / 1000);
  assert.equal(parseVolumeDate(date("2026112219301500", -8)), Date.UTC(2026, 10, 22, 21, 30, 15) / 1000);
  assert.equal(parseVolumeDate(date("0000000000000000", 0)), -1);
  assert.equal(parseVolumeDate(date("garbage", 0)), -1);
});

test("the primary descriptor, behind another one", () => {
  const image = Buffer.alloc(20 * 2048);
  // A boot record, then the primary descriptor.
  image.write("\0CD001\x01", 16 * 2048, "latin1");
  const at = 17 * 2048;
  image.write("\x01CD001\x01", at, "latin1");
  image.write("VOLUME".padEnd(32), at + 40, "latin1");
  image.writeUInt32LE(1234, at + 80);
  image.writeUInt16LE(1, at + 120);
  image.writeUInt16LE(2048, at + 128);
  image.write("2026010203040500", at + 813, "latin1");
  const volume = readImage(image);
  assert.equal(volume.iso_volume_id, "VOLUME");
  assert.equal(volume.iso_volume_space_size, 1234);
  assert.equal(volume.iso_logical_block_size, 2048);
  assert.equal(volume.iso_publisher_id, "");
  assert.equal(volume.iso_volume_creation_t, Date.UTC(2026, 0, 2, 3, 4, 5) / 1000);
  assert.equal(volume.iso_volume_expiration_t, -1);
});

test("what is no ISO", () => {
  const error = { errno: "EINVAL" };
  assert.throws(() => readImage(Buffer.alloc(0)), error);
  assert.throws(() => readImage(Buffer.alloc(40 * 2048)), error);
  const endless = Buffer.alloc(200 * 2048);
  for (let sector = 16; sector < 200; sector++) endless.write("\x02CD001", sector * 2048, "latin1");
  assert.throws(() => readImage(endless), error);
});
