import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Guestfs } from "../index.ts";

const folder = mkdtempSync(join(tmpdir(), "disk-image-test-"));
after(() => rmSync(folder, { recursive: true }));
const skip = spawnSync("qemu-img", ["--version"]).error ? "no qemu-img (Debian package qemu-utils)" : false;
const mebibyte = 1024 * 1024;

test("raw images", { skip }, async () => {
  await using g = new Guestfs({ environment: false });
  const path = join(folder, "raw.img");
  await g.diskCreate(path, "raw", mebibyte);
  assert.equal(statSync(path).blocks, 0);
  assert.equal(await g.diskFormat(path), "raw");
  assert.equal(await g.diskVirtualSize(path), mebibyte);
  assert.equal(await g.diskHasBackingFile(path), false);
  const full = join(folder, "full.img");
  await g.diskCreate(full, "raw", mebibyte, { preallocation: "full" });
  assert.ok(statSync(full).blocks * 512 >= mebibyte);
});

test("qcow2 images, with and without a backing file", { skip }, async () => {
  await using g = new Guestfs({ environment: false });
  const base = join(folder, "base:with colon.qcow2");
  await g.diskCreate(base, "qcow2", 5 * mebibyte, { compat: "0.10", clustersize: 4096, preallocation: "sparse" });
  assert.equal(await g.diskFormat(base), "qcow2");
  assert.equal(await g.diskVirtualSize(base), 5 * mebibyte);
  const raw = join(folder, "base.raw");
  await g.diskCreate(raw, "raw", 3 * mebibyte);
  const top = join(folder, "top.qcow2");
  await g.diskCreate(top, "qcow2", -1, { backingfile: raw, backingformat: "raw" });
  assert.equal(await g.diskHasBackingFile(top), true);
  assert.equal(await g.diskVirtualSize(top), 3 * mebibyte);
});

test("what makes no sense is named", async () => {
  await using g = new Guestfs({ environment: false });
  const path = join(folder, "never");
  const wrong: readonly [Promise<void>, RegExp][] = [
    [g.diskCreate(path, "vmdk", 1), /^disk_create: format: "vmdk" is neither raw nor qcow2$/],
    [g.diskCreate(path, "qcow2", -1), /^disk_create: size: -1 needs a backingfile$/],
    [g.diskCreate(path, "qcow2", 5, { backingfile: "b" }), /^disk_create: size: with a backingfile/],
    [g.diskCreate(path, "qcow2", 5, { backingformat: "raw" }), /^disk_create: backingformat: needs a backingfile$/],
    [g.diskCreate(path, "raw", 5, { compat: "1.1" }), /^disk_create: compat: is not for the format raw$/],
    [g.diskCreate(path, "raw", 5, { preallocation: "metadata" }), /^disk_create: preallocation: "metadata" is not for/],
    [g.diskCreate(path, "qcow2", 5, { compat: "2" }), /^disk_create: compat: "2"/],
    [g.diskCreate(path, "qcow2", 5, { clustersize: 1000 }), /^disk_create: clustersize: 1000/],
    [g.diskCreate(path, "qcow2", 5, { preallocation: "some" }), /^disk_create: preallocation: "some"/],
  ];
  for (const [call, message] of wrong)
    await assert.rejects(call, (error) => error instanceof RangeError && message.test(error.message));
});

test("closing the handle stops qemu-img", async () => {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const started = join(bin, "started");
  writeFileSync(join(bin, "qemu-img"), `#!/bin/sh\n: > '${started}'\nexec sleep 600\n`, { mode: 0o755 });
  const { PATH } = process.env;
  process.env["PATH"] = `${bin}:${PATH}`;
  try {
    const g = new Guestfs({ environment: false });
    const format = g.diskFormat(process.execPath);
    while (!existsSync(started)) await new Promise((resolve) => setTimeout(resolve, 10));
    await Promise.all([assert.rejects(format, { name: "AbortError" }), g.close()]);
  } finally {
    process.env["PATH"] = PATH;
  }
});
test("nothing is opened but the image itself", { skip }, async () => {
  await using g = new Guestfs({ environment: false });
  const fifo = join(folder, "fifo");
  spawnSync("mkfifo", [fifo]);
  for (const path of [fifo, folder])
    await assert.rejects(g.diskFormat(path), { code: "LOCAL", message: /neither a file nor a block device/ });
  const flat = join(folder, "flat.vmdk");
  spawnSync("qemu-img", ["create", "-q", "-f", "vmdk", "-o", "subformat=monolithicFlat", flat, "1M"]);
  writeFileSync(flat, readFileSync(flat, "utf8").replace("flat-flat.vmdk", "fifo"));
  assert.deepEqual([await g.diskFormat(flat), await g.diskVirtualSize(flat)], ["vmdk", mebibyte]);
  const data = join(folder, "data.qcow2");
  spawnSync("qemu-img", ["create", "-q", "-f", "qcow2", "-o", `data_file=${join(folder, "data.raw")}`, data, "1M"]);
  rmSync(join(folder, "data.raw"));
  spawnSync("mkfifo", [join(folder, "data.raw")]);
  assert.deepEqual([await g.diskVirtualSize(data), await g.diskHasBackingFile(data)], [mebibyte, false]);
});

test(
  "a relative backing file counts from the new image's folder, also when its format is looked for",
  { skip },
  async () => {
    await using g = new Guestfs({ environment: false });
    await g.diskCreate(join(folder, "below.qcow2"), "qcow2", mebibyte);
    const above = join(folder, "above.qcow2");
    await g.diskCreate(above, "qcow2", -1, { backingfile: "below.qcow2" });
    const { stdout } = spawnSync("qemu-img", ["info", "--output=json", above]);
    assert.match(stdout.toString(), /"backing-filename-format": "qcow2"/);
  },
);

test("images that are not there", { skip }, async () => {
  await using g = new Guestfs({ environment: false });
  await assert.rejects(
    g.diskFormat(join(folder, "none")),
    (error) => error instanceof Error && /^disk_format: .*No such file/.test(error.message),
  );
  await assert.rejects(g.diskCreate(join(folder, "no", "folder"), "raw", 1), {
    code: "LOCAL",
    procedure: "disk_create",
  });
});
