import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
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

test("a pipe and a folder are no images", { skip }, async () => {
  await using g = new Guestfs({ environment: false });
  const pipe = join(folder, "pipe");
  spawnSync("mkfifo", [pipe]);
  for (const path of [pipe, folder])
    await assert.rejects(g.diskFormat(path), { code: "LOCAL", message: /^disk_format: .*neither a regular file nor/ });
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
