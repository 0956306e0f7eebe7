import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runOwned } from "@guestfs/qemu";
import { ApplianceError } from "./appliance-error.ts";
import { imageNode, prepareDrives } from "./attach-drives.ts";
import { driveFormat } from "./drive-format.ts";
import type { ApplianceDrive } from "./drive.ts";

let folder = "";
const path = (name: string): string => join(folder, name);
const create = (...args: string[]): Promise<unknown> =>
  runOwned("qemu-img", ["create", "-q", ...args], { cwd: folder });

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "drive-format-"));
  await create("-f", "raw", "base.raw", "10M");
  await create("-f", "qcow2", "plain.qcow2", "10M");
  await create("-f", "qcow2", "-b", "base.raw", "-F", "raw", "over.qcow2");
  await create("-f", "qcow2", "-b", "over.qcow2", "-F", "qcow2", "over2.qcow2");
  await create("-f", "qcow2", "-o", "data_file=data.raw", "data.qcow2", "10M");
  await create("-f", "vmdk", "-o", "subformat=monolithicFlat", "flat.vmdk", "10M");
});
after(() => rm(folder, { recursive: true }));

const refused = (drive: ApplianceDrive, words: RegExp): Promise<void> =>
  assert.rejects(driveFormat(drive), (error) => {
    assert.ok(error instanceof ApplianceError);
    assert.equal(error.stage, "drive");
    assert.match(error.message, words);
    return true;
  });

test("the format is the one given, else the header's", async () => {
  assert.equal((await driveFormat({ filename: path("base.raw") })).format, "raw");
  assert.equal((await driveFormat({ filename: path("plain.qcow2") })).format, "qcow2");
  assert.equal((await driveFormat({ filename: path("over.qcow2"), format: "raw" })).format, "raw");
});

test("images that name other files are refused, also in a format that hides them", async () => {
  await refused({ filename: path("over.qcow2") }, /names another file: a backing file "base.raw"/);
  await refused({ filename: path("over.qcow2"), format: "qcow2" }, /backing file/);
  await refused({ filename: path("data.qcow2") }, /a data file "data.raw"/);
  await refused({ filename: path("flat.vmdk") }, /an extent "flat-flat.vmdk"/);
  await writeFile(path("hidden.vmdk"), 'createType="monolithicFlat"\nRW 4 FLAT "/etc/shadow" 0\n');
  await refused({ filename: path("hidden.vmdk"), format: "vmdk" }, /not a vmdk image/);
});

test("allowed, the whole chain is spelled out for QEMU", async () => {
  const format = await driveFormat({ filename: path("over2.qcow2"), allowOtherFiles: true });
  assert.equal(format.backing?.format.backing?.filename, path("base.raw"));
  const options = { readonly: false, noFlush: false, discard: "ignore", locking: true, ring: true } as const;
  const node = imageNode({ driver: "file", filename: path("over2.qcow2") }, format, options);
  const backing = node["backing"] as Record<string, unknown>;
  assert.equal(backing["read-only"], true);
  assert.deepEqual((backing["backing"] as Record<string, unknown>)["driver"], "raw");
  const plain = imageNode(
    { driver: "file", filename: "x" },
    await driveFormat({ filename: path("plain.qcow2") }),
    options,
  );
  assert.equal(plain["backing"], null);
  const data = await driveFormat({ filename: path("data.qcow2"), allowOtherFiles: true });
  assert.equal(data.dataFile, path("data.raw"));
});

test("what a guest may have written names no files, where only recorded formats count", async () => {
  await create("-f", "qcow2", "-b", "base.raw", "-F", "raw", "written.img");
  await create("-f", "qcow2", "-b", "written.img", "-F", "qcow2", "guessed.qcow2");
  const bytes = await readFile(path("guessed.qcow2"));
  // The extension that records the format (QEMU documentation, "The qcow2 image format") becomes one that nobody knows.
  bytes.writeUInt32BE(0x12345678, bytes.indexOf(Buffer.from("e2792aca", "hex")));
  await writeFile(path("guessed.qcow2"), bytes);
  const guessed = { filename: path("guessed.qcow2"), format: "qcow2" } as const;
  await refused({ ...guessed, allowOtherFiles: "recorded" }, /written\.img: this qcow2 image names another file/);
  assert.equal((await driveFormat({ ...guessed, allowOtherFiles: true })).backing?.format.format, "qcow2");
  await refused({ filename: path("over2.qcow2"), allowOtherFiles: "recorded" }, /names another file/);
  const recorded = await driveFormat({ filename: path("over2.qcow2"), format: "qcow2", allowOtherFiles: "recorded" });
  assert.equal(recorded.backing?.format.backing?.filename, path("base.raw"));
});

test("a FIFO is no image, nor does one lie behind one", async () => {
  spawnSync("mkfifo", [path("fifo")]);
  await create("-f", "qcow2", "-u", "-b", "fifo", "-F", "raw", "fifo.qcow2", "10M");
  await refused({ filename: path("fifo.qcow2"), allowOtherFiles: true }, /fifo: neither a regular file nor/);
  await assert.rejects(prepareDrives([{ filename: path("fifo"), format: "raw", readonly: true }]), /fifo: neither a/);
});

test("chains without end, and names that are no paths", async () => {
  await runOwned("qemu-img", ["rebase", "-u", "-f", "qcow2", "-b", "loop.qcow2", "-F", "qcow2", "plain.qcow2"], {
    cwd: folder,
  });
  await create("-f", "qcow2", "-u", "-b", "plain.qcow2", "-F", "qcow2", "loop.qcow2", "10M");
  await refused({ filename: path("loop.qcow2"), allowOtherFiles: true }, /no end/);
  for (const name of ["json:{}", "nbd://host/x", "http://host/x"]) {
    await create("-f", "qcow2", "-u", "-b", name, "-F", "raw", "remote.qcow2", "10M");
    await refused({ filename: path("remote.qcow2"), allowOtherFiles: true }, /is not a path/);
  }
});

test("files that can't be used", async () => {
  await refused({ filename: path("missing") }, /No such file or directory/);
  await refused({ filename: path("base.raw"), format: "qcow2" }, /not a qcow2 image/);
  await refused({ filename: path("base.raw"), format: "vvfat" }, /format vvfat is not known/);
  await refused({ filename: folder }, /neither a file nor a block device/);
});
