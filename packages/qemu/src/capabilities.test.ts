import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { QemuProbeError, qemuCapabilities } from "./capabilities.ts";
import { ProgramNotFoundError } from "./owned-process.ts";

test("what QEMU says, asked once", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "capabilities-"));
  t.after(() => rm(folder, { recursive: true }));
  const cache = join(folder, "cache");
  const first = await qemuCapabilities("qemu-system-x86_64", cache);
  assert.match(first.version, /^\d+\.\d+\.\d+$/);
  assert.ok(first.machines.includes("q35"));
  assert.ok(first.devices.includes("virtio-scsi-pci"));
  assert.ok(first.blockDrivers.includes("qcow2") && first.blockDrivers.includes("nbd"));
  assert.ok(first.commands.includes("blockdev-add"));
  assert.ok(first.optionGroups.includes("sandbox"));

  const [name] = await readdir(cache);
  const file = join(cache, name ?? assert.fail());
  assert.equal((await stat(cache)).mode & 0o777, 0o700);
  await writeFile(file, JSON.stringify({ ...first, version: "from the cache" }));
  assert.equal((await qemuCapabilities("qemu-system-x86_64", cache)).version, "from the cache");
  await writeFile(file, '{"version": "dam');
  assert.deepEqual(await qemuCapabilities("qemu-system-x86_64", cache), first);
});

test("a program that is no QEMU, and none at all", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "capabilities-"));
  t.after(() => rm(folder, { recursive: true }));
  await assert.rejects(qemuCapabilities("/bin/false", folder), QemuProbeError);
  await assert.rejects(qemuCapabilities("/nowhere/qemu", folder), ProgramNotFoundError);
});
