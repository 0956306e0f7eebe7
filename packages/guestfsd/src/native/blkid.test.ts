import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { probeDevice, probeType, readPartitionTable, wipeSignatures } from "./blkid.ts";

const folder = mkdtempSync(join(tmpdir(), "blkid-test-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const environment = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` };
const missing = ["sfdisk", "mke2fs"].filter((name) => spawnSync(name, ["-V"], { env: environment }).error);
const skip = missing.length > 0 ? `needs ${missing.join(" and ")}` : false;

function image(name: string, size: number): string {
  const path = join(folder, name);
  writeFileSync(path, "");
  truncateSync(path, size);
  return path;
}

const MiB = 1024 * 1024;

function table(name: string, script: string): string {
  const path = image(name, 64 * MiB);
  execFileSync("sfdisk", ["--quiet", path], { input: script, env: environment });
  return path;
}

test("a GPT with names, types, attributes", { skip }, () => {
  const disk = table(
    "gpt",
    [
      "label: gpt",
      "label-id: 01234567-89AB-CDEF-0123-456789ABCDEF",
      'start=2048, size=2048, uuid=11111111-2222-3333-4444-555555555555, name="wörld: 1", attrs="RequiredPartition GUID:63"',
      "start=8192, size=4096, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
    ].join("\n"),
  );
  const read = readPartitionTable(disk);
  assert.equal(read?.type, "gpt");
  assert.equal(read.id, "01234567-89ab-cdef-0123-456789abcdef");
  assert.deepEqual(read.partitions[0], {
    number: 1,
    start: MiB,
    size: MiB,
    kind: "primary",
    name: "wörld: 1",
    uuid: "11111111-2222-3333-4444-555555555555",
    typeText: "0fc63daf-8483-4772-8e79-3d69d8477de4",
    type: 0,
    flags: (1n << 63n) | 1n,
  });
  assert.equal(read.partitions[1]?.typeText, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
});

test("an MBR with logical partitions", { skip }, () => {
  const disk = table(
    "mbr",
    [
      "label: dos",
      "mbr1: start=2048, size=2048, type=7, bootable",
      "mbr2: start=4096, size=20480, type=5",
      "mbr5: start=6144, size=2048, type=82",
    ].join("\n"),
  );
  const read = readPartitionTable(disk);
  assert.equal(read?.type, "dos");
  assert.deepEqual(
    read.partitions.map(({ number, kind, type, flags }) => [number, kind, type, flags]),
    [
      [1, "primary", 7, 0x80n],
      [2, "extended", 5, 0n],
      [5, "logical", 0x82, 0n],
    ],
  );
  assert.equal(read.partitions[1]?.size, 20480 * 512);
});

test("what a device holds, and its end", { skip }, () => {
  const path = image("ext2", 8 * MiB);
  assert.deepEqual(probeDevice(path), {});
  assert.equal(readPartitionTable(path), undefined);
  execFileSync("mke2fs", ["-q", "-F", "-t", "ext2", "-L", "a b", path], { env: environment });
  const found = probeDevice(path, { partitions: true });
  assert.equal(found["TYPE"], "ext2");
  assert.equal(probeType(path), "ext2");
  assert.equal(found["LABEL"], "a b");
  wipeSignatures(path, false);
  assert.deepEqual(probeDevice(path), {});
  assert.equal(probeType(path), "");
});

test("wiping takes every copy of a table", { skip }, () => {
  const disk = table("wiped", "label: gpt\nsize=2048\n");
  wipeSignatures(disk, false);
  assert.equal(readPartitionTable(disk), undefined);
});

test("noise is nothing, and a device that is not there says so", () => {
  const path = join(folder, "noise");
  writeFileSync(path, Buffer.alloc(2 * MiB, 0xa5));
  assert.deepEqual(probeDevice(path), {});
  assert.equal(readPartitionTable(path), undefined);
  assert.throws(() => probeDevice(join(folder, "absent")), { code: "ENOENT" });
});
