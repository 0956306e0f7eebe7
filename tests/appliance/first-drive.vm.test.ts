// The first drive goes into a disk that the template has already: whatever it is, the guest must see it and nothing else.
import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readSync, rmSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { Guestfs, GuestfsPool } from "guestfs";

const KiB = 1024;
const MiB = 1024 ** 2;
const folder = mkdtempSync(join(tmpdir(), "guestfs-first-drive-test-"));
after(() => rmSync(folder, { recursive: true }));

const sector = (name: string): Buffer => Buffer.concat([Buffer.from(name), Buffer.alloc(512)], 512);

/** An image with its name at its start, at its end and where partitions begin. */
function makeImage(name: string, bytes: number): string {
  const path = join(folder, name);
  writeFileSync(path, "");
  truncateSync(path, bytes);
  const fd = openSync(path, "r+");
  for (const at of [0, MiB, bytes - 512]) if (at + 512 <= bytes) writeSync(fd, sector(name), 0, 512, at);
  closeSync(fd);
  return path;
}

async function withHandle(pool: GuestfsPool | undefined, use: (g: Guestfs) => Promise<void>): Promise<void> {
  await pool?.ready();
  await using g = new Guestfs(pool === undefined ? {} : { pool });
  await use(g);
}

async function requireImage(g: Guestfs, device: string, name: string, bytes: number): Promise<void> {
  assert.equal(await g.blockdevGetsize64(device), bytes);
  for (const at of [0, MiB, bytes - 512]) {
    if (at + 512 > bytes) continue;
    assert.equal(Buffer.compare(await g.preadDevice(device, 512, at), sector(name)), 0, `${device} at ${at}`);
  }
}

for (const pooled of [false, true]) {
  describe(`the first drive, ${pooled ? "from a pool" : "launched"}`, () => {
    const pool = pooled ? new GuestfsPool({ size: 1 }) : undefined;
    after(() => pool?.close());

    for (const [size, readonly] of [
      [512, false],
      [64 * KiB, true],
      [64 * MiB, true],
      [3 * MiB + 512, false],
      [5 * 1024 ** 4, false],
    ] as const)
      test(`${size} bytes, ${readonly ? "read-only" : "writable"}`, () =>
        withHandle(pool, async (g) => {
          const name = `size-${size}`;
          await g.addDrive(makeImage(name, size), { format: "raw", readonly });
          await g.launch();
          assert.deepEqual(await g.listDevices(), ["/dev/sda"]);
          assert.deepEqual(await g.listPartitions(), []);
          await requireImage(g, "/dev/sda", name, size);
          await g.pwriteDevice("/dev/sda", Buffer.alloc(512, "written"), 0);
          await g.sync();
          const head = Buffer.alloc(7);
          const fd = openSync(join(folder, name), "r");
          readSync(fd, head, 0, head.length, 0);
          closeSync(fd);
          assert.equal(head.toString(), readonly ? name.slice(0, 7) : "written");
        }));

    test("none", () =>
      withHandle(pool, async (g) => {
        await g.launch();
        assert.deepEqual(await g.listDevices(), []);
        await g.addDrive(makeImage("late", MiB + KiB), { format: "raw", label: "late" });
        await requireImage(g, "/dev/disk/guestfs/late", "late", MiB + KiB);
      }));

    test("with a label, and with sectors of 4096 bytes", () =>
      withHandle(pool, async (g) => {
        await g.addDrive(makeImage("one", 2 * MiB), { format: "raw", label: "one", blocksize: 4096 });
        await g.addDrive(makeImage("two", 3 * MiB), { format: "raw", label: "two" });
        await g.launch();
        assert.deepEqual(await g.listDevices(), ["/dev/sda", "/dev/sdb"]);
        assert.equal(await g.blockdevGetss("/dev/sda"), 4096);
        assert.equal(await g.blockdevGetss("/dev/sdb"), 512);
        assert.equal(await g.blockdevGetsize64("/dev/disk/guestfs/one"), 2 * MiB);
        await requireImage(g, "/dev/disk/guestfs/two", "two", 3 * MiB);
        await requireImage(g, "/dev/sdb", "two", 3 * MiB);
      }));

    test("before others, removed, and another one in its place", () =>
      withHandle(pool, async (g) => {
        const sizes = [2 * MiB, 3 * MiB, 4 * MiB];
        for (const size of sizes) await g.addDrive(makeImage(`many-${size}`, size), { format: "raw", readonly: true });
        await g.addDrive(makeImage("leaves", MiB), { format: "raw", label: "leaves" });
        await g.launch();
        for (const [index, device] of ["/dev/sda", "/dev/sdb", "/dev/sdc"].entries())
          await requireImage(g, device, `many-${sizes[index]}`, sizes[index] ?? 0);
        await g.removeDrive("leaves");
        await g.addDrive(makeImage("comes", 7 * MiB), { format: "raw", label: "comes" });
        await requireImage(g, "/dev/disk/guestfs/comes", "comes", 7 * MiB);
      }));

    test("partitions are those of the drive, in each handle anew", async () => {
      const path = join(folder, "parted.img");
      writeFileSync(path, "");
      truncateSync(path, 100 * MiB);
      await withHandle(pool, async (g) => {
        await g.addDrive(path, { format: "raw" });
        await g.launch();
        await g.partInit("/dev/sda", "gpt");
        await g.partAdd("/dev/sda", "p", 2048, 20_479);
        await g.partAdd("/dev/sda", "p", 20_480, 102_399);
        await g.mkfs("ext4", "/dev/sda2");
        await g.mount("/dev/sda2", "/");
        await g.write("/file", Buffer.from("mine\n"));
      });
      await withHandle(pool, async (g) => {
        await g.addDrive(path, { format: "raw", readonly: true });
        await g.launch();
        assert.deepEqual(await g.listPartitions(), ["/dev/sda1", "/dev/sda2"]);
        assert.equal(await g.vfsType("/dev/sda2"), "ext4");
        await g.mountRo("/dev/sda2", "/");
        assert.equal(await g.cat("/file"), "mine\n");
      });
    });
  });
}
