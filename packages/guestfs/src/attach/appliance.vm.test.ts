import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { CancelledError, ConnectionClosedError, Guestfs, LaunchError } from "../index.ts";

const bundle = fileURLToPath(new URL("../../../guestfsd/dist/bundle/guestfsd.cjs", import.meta.url));
const skip = existsSync(bundle) ? false : "the daemon is not bundled: npm run build";
const folder = mkdtempSync(join(tmpdir(), "guestfs-vm-test-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const digest = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

/** A handle whose temporary files can be counted. */
function handle(): { g: Guestfs; tmp: string } {
  const tmp = mkdtempSync(join(folder, "tmp-"));
  const g = new Guestfs();
  g.setBackend("direct");
  g.setTmpdir(tmp);
  return { g, tmp };
}

test("a disk is made, changed, read back, and does not change when it is read-only", { skip }, async () => {
  const disk = join(folder, "disk.img");
  writeFileSync(disk, "");
  truncateSync(disk, 64 * 1024 * 1024);
  const content = new TextEncoder().encode("hello\n");
  {
    const { g, tmp } = handle();
    await using _ = g;
    const steps: number[] = [];
    g.on("progress", ({ position }) => steps.push(position));
    await g.addDrive(disk, { format: "raw" });
    await g.launch();
    assert.deepEqual([steps[0], steps.at(-1)], [0, 12]);
    assert.ok(g.getPid() > 0);
    await g.partDisk("/dev/sda", "mbr");
    await g.mkfs("ext4", "/dev/sda1");
    await g.mount("/dev/sda1", "/");
    await g.write("/f", content);
    await g.close();
    assert.deepEqual(readdirSync(tmp), []);
  }
  const before = digest(disk);
  const { g } = handle();
  await using _ = g;
  await g.addDriveRo(disk);
  await g.addDriveScratch(1024 * 1024, { label: "scratch" });
  await g.launch();
  await g.mount("/dev/sda1", "/");
  assert.equal(await g.cat("/f"), "hello\n");
  await g.write("/f", new Uint8Array(5));
  await g.close();
  assert.equal(digest(disk), before);
});

test("with read-only drives nothing is left behind; what a later drive got is kept", { skip }, async () => {
  const [looked, written] = ["looked.img", "written.img"].map((name) => join(folder, name)) as [string, string];
  for (const path of [looked, written]) writeFileSync(path, new Uint8Array(16 * 1024 * 1024));
  const content = Buffer.from("kept on the disk");
  {
    const { g, tmp } = handle();
    await using _ = g;
    await g.addDriveRo(looked);
    await g.launch();
    await g.mkfs("ext2", "/dev/sda");
    await g.mount("/dev/sda", "/");
    await g.write("/f", content);
    const pid = g.getPid();
    await g.close();
    assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
    assert.deepEqual(readdirSync(tmp), []);
    assert.ok(readFileSync(looked).every((byte) => byte === 0));
  }
  {
    const { g } = handle();
    await using _ = g;
    await g.addDriveRo(looked);
    await g.launch();
    await g.addDrive(written, { format: "raw" });
    await g.mkfs("ext2", "/dev/sdb");
    await g.mount("/dev/sdb", "/");
    await g.write("/f", content);
    await g.close();
    assert.ok(readFileSync(written).includes(content));
  }
});

test(
  "QEMU is killed in the middle of a call: a typed error, nothing left, and the handle can launch again",
  { skip },
  async () => {
    const { g, tmp } = handle();
    await using _ = g;
    await g.addDriveScratch(1024 * 1024);
    await g.launch();
    const pid = g.getPid();
    const quit = new Promise((resolve) => g.on("subprocess_quit", resolve));
    const sleeping = g.sleep(600);
    setTimeout(() => process.kill(pid, "SIGKILL"), 200);
    await assert.rejects(
      sleeping,
      (error) =>
        error instanceof ConnectionClosedError &&
        error.signal === "SIGKILL" &&
        error.message.startsWith("sleep: the appliance went away (SIGKILL)"),
    );
    await quit;
    assert.equal(g.isConfig(), true);
    await g.close();
    assert.deepEqual(readdirSync(tmp), []);
    assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  },
);

test("a launch is stopped by its signal", { skip }, async () => {
  const { g, tmp } = handle();
  await using _ = g;
  await g.addDriveScratch(1024 * 1024);
  const stop = new AbortController();
  g.setVerbose(true);
  g.on("library", () => stop.abort());
  g.on("appliance", () => undefined);
  await assert.rejects(g.launch({ signal: stop.signal }), CancelledError);
  await g.close();
  assert.deepEqual(readdirSync(tmp), []);
});

test("drives that can't be used", { skip }, async () => {
  const { g, tmp } = handle();
  await using _ = g;
  const broken = join(folder, "broken.qcow2");
  await g.diskCreate(broken, "qcow2", 1024 * 1024);
  truncateSync(broken, 70);
  await g.addDrive(broken, { format: "qcow2" });
  await assert.rejects(
    g.launch(),
    (error) =>
      error instanceof LaunchError && error.message.startsWith("launch: ") && error.message.includes("broken.qcow2"),
  );
  assert.equal(g.isConfig(), true);
  await g.close();
  assert.deepEqual(readdirSync(tmp), []);
});

test(
  "an image over another one is refused until the handle allows it, before the launch and after it",
  { skip },
  async () => {
    const [base, over] = ["base.img", "over.qcow2"].map((name) => join(folder, name)) as [string, string];
    writeFileSync(base, Buffer.alloc(1024 * 1024, "base"));
    const { g } = handle();
    await using _ = g;
    await g.diskCreate(over, "qcow2", -1, { backingfile: base, backingformat: "raw" });
    await g.addDrive(over, { format: "qcow2" });
    await assert.rejects(
      g.launch(),
      (error) =>
        error instanceof LaunchError &&
        /over\.qcow2: this qcow2 image names another file: a backing file/.test(error.message) &&
        error.fix.endsWith("LIBGUESTFS_BACKEND_SETTINGS=allow_other_files"),
    );
    g.setBackendSetting("allow_other_files", "1");
    await g.launch();
    const read = async (device: string): Promise<string> => Buffer.from(await g.preadDevice(device, 8, 512)).toString();
    assert.equal(await read("/dev/sda"), "basebase");
    await g.addDrive(over, { format: "qcow2", readonly: true, label: "again" });
    assert.equal(await read("/dev/disk/guestfs/again"), "basebase");
  },
);

test("what config adds is written to its disk", { skip }, async () => {
  const own = join(folder, "own.img");
  writeFileSync(own, new Uint8Array(16 * 1024 * 1024));
  const content = Buffer.from("kept on a disk of config's");
  const { g } = handle();
  await using _ = g;
  g.config("-drive", `file=${own},format=raw,if=none,id=own`);
  g.config("-device", "virtio-scsi-pci,id=more");
  g.config("-device", "scsi-hd,drive=own,bus=more.0");
  await g.launch();
  await g.mkfs("ext2", "/dev/sda");
  await g.mount("/dev/sda", "/");
  await g.write("/f", content);
  await g.close();
  assert.ok(readFileSync(own).includes(content));
});

test("what is wrong with drives or folders does not cost the template", { skip }, async (t) => {
  const first = handle();
  await first.g.addDriveScratch(1024 * 1024);
  for (const _ of ["booted", "rehearsed"]) {
    await first.g.launch();
    await first.g.shutdown();
  }
  const store = join(first.g.getCachedir(), "appliance");
  const templates = (): string[] => readdirSync(store).filter((name) => name.startsWith("template-"));
  const before = templates();
  await first.g.close();
  const fails = async (prepare: (g: Guestfs) => Promise<void>, words: RegExp): Promise<void> => {
    const { g } = handle();
    await using _ = g;
    await prepare(g);
    await assert.rejects(g.launch(), (error) => error instanceof LaunchError && words.test(error.message));
  };
  await fails(async (g) => {
    g.setTmpdir(join(folder, "missing"));
    const path = join(folder, "plain.img");
    writeFileSync(path, new Uint8Array(1024 * 1024));
    await g.addDriveRo(path);
  }, /no temporary folder can be made in .*missing[^]*ENOENT/);
  const silent = createServer(() => undefined);
  t.after(() => silent.close());
  const socket = join(folder, "s");
  await new Promise<void>((resolve) => silent.listen(socket, resolve));
  await fails(
    (g) => g.addDrive("export", { protocol: "nbd", server: [`unix:${socket}`], format: "raw" }),
    /export: no answer/,
  );
  assert.deepEqual(templates(), before);
});

test(
  "a drive whose addition fails or is given up is not in the appliance, and can be added again",
  { skip },
  async () => {
    const path = join(folder, "hot.img");
    writeFileSync(path, new Uint8Array(1024 * 1024));
    const { g } = handle();
    await using _ = g;
    await g.addDriveScratch(1024 * 1024);
    await g.launch();
    for (const delay of [0, 1, 3, 10, 30]) {
      const stop = new AbortController();
      const added = g.addDrive(path, { format: "raw", label: "hot", signal: stop.signal });
      setTimeout(() => stop.abort(), delay);
      const isThere = await added.then(
        () => true,
        (error: unknown) => {
          assert.ok(error instanceof CancelledError);
          return false;
        },
      );
      assert.equal((await g.listDevices()).length, isThere ? 2 : 1);
      // The image's lock would tell of one that is still open.
      if (!isThere) await g.addDrive(path, { format: "raw", label: "hot" });
      await assert.rejects(g.addDrive(path, { format: "raw", label: "other" }), /lock/);
      await g.removeDrive("hot");
    }
    assert.equal((await g.listDevices()).length, 1);
  },
);

test("a hypervisor that is not there", { skip }, async () => {
  const { g } = handle();
  await using _ = g;
  g.setHv(join(folder, "no-such-qemu"));
  await assert.rejects(g.launch(), (error) => error instanceof LaunchError && error.message.includes("no-such-qemu"));
});
