import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Guestfs, GuestfsError } from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "drives-test-"));
after(() => rmSync(folder, { recursive: true }));
const disk = join(folder, "disk.img");
writeFileSync(disk, "x");

test("drives keep their order and their options; secrets are not shown", async () => {
  await using g = new Guestfs({ environment: false });
  await g.addDrive(disk, { label: "first", format: "raw", readonly: true });
  await g.addDriveRo(disk);
  await g.addDrive("pool/image", {
    protocol: "rbd",
    server: ["ceph:3000", "[::1]:1"],
    username: "u",
    secret: "hunter2",
  });
  const lines = g.debugDrives();
  assert.equal(lines.length, 3);
  assert.equal(lines[0], `${disk} readonly=true format=raw label=first protocol=file`);
  assert.match(lines[2] ?? "", /^pool\/image .*secret=\*\*\*/);
  assert.doesNotMatch(lines.join("\n"), /hunter2/);
});

test("scratch drives come and go", async () => {
  await using g = new Guestfs({ environment: false });
  await g.addDriveScratch(1e6, { label: "a" });
  await g.addDriveScratch(1e6, { label: "b" });
  await g.removeDrive("a");
  await g.addDriveScratch(2e6);
  assert.equal(g.debugDrives().length, 2);
  await assert.rejects(
    g.addDriveScratch(2n ** 62n),
    (error) => error instanceof GuestfsError && error.code === "LOCAL",
  );
  assert.equal(g.debugDrives().length, 2);
});

const wrong: readonly [message: RegExp, filename: string, options: Parameters<Guestfs["addDrive"]>[1]][] = [
  [/add_drive: format: "a b"/, disk, { format: "a b" }],
  [/add_drive: label: "a1"/, disk, { label: "a1" }],
  [/add_drive: label: /, disk, { label: "abcdefghijabcdefghijk" }],
  [/add_drive: blocksize: 1024 is none of 512, 4096/, disk, { blocksize: 1024 }],
  [/add_drive: cachemode: "none"/, disk, { cachemode: "none" }],
  [/add_drive: discard: "sometimes"/, disk, { discard: "sometimes" }],
  [/add_drive: discard: .*readonly/, disk, { discard: "enable", readonly: true }],
  [/add_drive: protocol: "smb"/, disk, { protocol: "smb" }],
  [/add_drive: server: the protocol file has no servers/, disk, { server: ["a"] }],
  [/add_drive: server: the protocol nbd needs exactly one server, not 0/, "", { protocol: "nbd" }],
  [/add_drive: server: "h:99999": 99999 is no port/, "", { protocol: "nbd", server: ["h:99999"] }],
  [/add_drive: server: "unix:\/s": ssh is not spoken/, "/f", { protocol: "ssh", server: ["unix:/s"] }],
  [/add_drive: filename: with http it has to begin with \//, "f", { protocol: "http", server: ["h"] }],
  [/add_drive: filename: with rbd it must not begin with \//, "/f", { protocol: "rbd", server: ["h"] }],
  [/add_drive: username: the protocol nbd has no user names/, "", { protocol: "nbd", server: ["h"], username: "u" }],
  [/add_drive: secret: needs a username/, "/f", { protocol: "https", server: ["h"], secret: "s" }],
];

for (const [message, filename, options] of wrong)
  test(`refused: ${JSON.stringify(options)}`, async () => {
    await using g = new Guestfs({ environment: false });
    await assert.rejects(
      g.addDrive(filename, options),
      (error) => error instanceof RangeError && message.test(error.message),
    );
    assert.equal(g.debugDrives().length, 0);
  });

test("servers that are fine", async () => {
  await using g = new Guestfs({ environment: false });
  for (const server of ["host", "host:10809", "tcp:host:1", "unix:/run/nbd.sock", "[::1]:2"])
    await g.addDrive("", { protocol: "nbd", server: [server] });
  assert.equal(g.debugDrives().length, 5);
});

test("an image that is neither a file nor a block device", async () => {
  await using g = new Guestfs({ environment: false });
  await assert.rejects(
    g.addDriveRo("/dev/zero"),
    /^GuestfsError: add_drive_ro: \/dev\/zero: is neither a regular file/,
  );
});

test("an image that is missing, or is a folder", async () => {
  await using g = new Guestfs({ environment: false });
  await assert.rejects(
    g.addDrive(join(folder, "none")),
    (error) =>
      error instanceof GuestfsError &&
      error.code === "LOCAL" &&
      error.message.endsWith("none: No such file or directory"),
  );
  await assert.rejects(g.addDrive(folder), /is a directory/);
});

test("two drives can't have the same label", async () => {
  await using g = new Guestfs({ environment: false });
  await g.addDrive(disk, { label: "a" });
  await assert.rejects(g.addDrive(disk, { label: "a" }), /has the label "a" already/);
  await g.removeDrive("a");
  await assert.rejects(g.removeDrive("a"), /no drive has the label "a"/);
  await g.addDrive(disk, { label: "a" });
});

test("scratch disks are made in the temporary folder and go with the handle", async () => {
  const tmp = mkdtempSync(join(folder, "tmp-"));
  const g = new Guestfs({ environment: false });
  g.setTmpdir(tmp);
  await g.addDriveScratch(1024 * 1024, { label: "scratch" });
  await g.addDrive("/dev/null");
  assert.equal(g.debugDrives().length, 2);
  assert.equal(readdirSync(tmp).length, 1);
  await assert.rejects(g.addDriveScratch(-1), RangeError);
  await assert.rejects(g.addDrive("/dev/null", { format: "qcow2" }), RangeError);
  await g.close();
  assert.deepEqual(readdirSync(tmp), []);
});

test("unknown options are named", async () => {
  await using g = new Guestfs({ environment: false });
  await assert.rejects(
    g.addDrive(disk, { readOnly: true } as never),
    /add_drive: unknown option readOnly; there are readonly, format/,
  );
  await assert.rejects(g.addDrive(disk, { readonly: 1 } as never), {
    name: "TypeError",
    message: "add_drive: readonly: must be a boolean, not number",
  });
});

test("device names", async () => {
  await using g = new Guestfs({ environment: false });
  assert.equal(await g.canonicalDeviceName("/dev/vda1"), "/dev/sda1");
  assert.equal(await g.canonicalDeviceName("/dev/hdb"), "/dev/sdb");
  assert.equal(await g.canonicalDeviceName("/dev/VG/LV"), "/dev/VG/LV");
});
