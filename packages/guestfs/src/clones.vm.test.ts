import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Guestfs, GuestfsPool, LaunchError } from "./index.ts";

// 50 by hand: GUESTFS_TEST_CLONES=50
const clones = Number(process.env["GUESTFS_TEST_CLONES"] ?? 3);
const folder = mkdtempSync(join(tmpdir(), "clones-test-"));
after(() => rmSync(folder, { recursive: true }));

function disk(name: string, megabytes: number): string {
  const path = join(folder, name);
  writeFileSync(path, "");
  truncateSync(path, megabytes * 2 ** 20);
  return path;
}

/** An answer of the guest's shell. */
const shell = async (g: Guestfs, line: string): Promise<string> => (await g.debug("sh", [line])).trim();

// A key is made slow to guess by ten seconds of an emulated processor; for the salts of many clones that is no matter.
const quickly = "--batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000";

async function identities(g: Guestfs, clone: number): Promise<string[]> {
  await g.partDisk("/dev/sda", "gpt");
  await g.mkfs("ext4", "/dev/sda1");
  await g.mkswap("/dev/sdb");
  if (clone < 2) await g.luksFormat("/dev/sdc", "secret", 0);
  else await shell(g, `printf secret | cryptsetup luksFormat ${quickly} /dev/sdc -`);
  return Promise.all([
    g.partGetDiskGuid("/dev/sda"),
    g.partGetGptGuid("/dev/sda", 1),
    g.vfsUuid("/dev/sda1"),
    g.vfsUuid("/dev/sdb"),
    g.vfsUuid("/dev/sdc"),
    // A LUKS2 header: the salt of its first copy.
    g.preadDevice("/dev/sdc", 64, 0x68).then((salt) => Buffer.from(salt).toString("hex")),
    shell(g, "cat /proc/sys/kernel/random/uuid"),
    shell(g, "od -An -tx1 -N16 /dev/urandom"),
    shell(g, "mktemp -u XXXXXXXXXX"),
    shell(g, "cat /etc/machine-id"),
    shell(g, "cat /proc/sys/kernel/hostname"),
    shell(g, "mktemp -u XXXXXXXXXXXX"),
  ]);
}

test(`nothing that should be unique is the same in two of ${clones} clones`, { timeout: 1_200_000 }, async (t) => {
  const seen = new Map<string, number>();
  await using pool = new GuestfsPool({ size: 1 });
  for (let clone = 0; clone < clones; clone++) {
    // The last one comes from a pool: it was there before, and may not be less fresh.
    if (clone === clones - 1) await pool.ready();
    await using g = new Guestfs(clone === clones - 1 ? { pool } : {});
    for (const name of ["a", "b", "c"]) await g.addDrive(disk(name, 64), { format: "raw" });
    await g.launch();
    const before = Date.now() / 1000;
    const inside = Number(await shell(g, "date +%s.%N"));
    const late = Date.now() / 1000 - before;
    assert.ok(inside > before - 0.1 - late && inside < before + late + 0.1, `the clock is off by ${inside - before} s`);
    for (const value of await identities(g, clone)) {
      assert.notEqual(value, "");
      assert.equal(seen.get(value), undefined, `clone ${clone} has ${value} as well as clone ${seen.get(value)}`);
      seen.set(value, clone);
    }
  }
  t.diagnostic(`${seen.size} different values`);
});

test("a pool that nobody closes lets its program end, and starts what is taken from it", { timeout: 600_000 }, () => {
  const program = `
    const { Guestfs, GuestfsPool } = await import(${JSON.stringify(new URL("./index.ts", import.meta.url).href)});
    const pool = new GuestfsPool({ size: 2 });
    await pool.ready();
    const g = new Guestfs({ pool });
    await g.addDriveScratch(1024 * 1024);
    await g.launch();
    await new Promise((resolve) => setTimeout(resolve, 500));
    console.log((await g.listDevices()).join());
    await g.close();
    await pool.ready();
    console.log(pool.waiting);`;
  const node = ["--conditions=source", "--import", import.meta.resolve("tsx"), "--input-type=module", "-e", program];
  const { stdout, stderr, status } = spawnSync(process.execPath, node, { timeout: 300_000 });
  assert.deepEqual([stdout.toString(), status], ["/dev/sda\n2\n", 0], stderr.toString());
});

test("drives come and go while the appliance runs", { timeout: 300_000 }, async () => {
  await using g = new Guestfs();
  await g.addDrive(disk("first", 16), { format: "raw", label: "first" });
  await g.launch();
  await g.addDrive(disk("second", 32), { format: "raw", label: "second" });
  await g.addDrive(disk("third", 48), { format: "raw", readonly: true, label: "third" });
  assert.deepEqual(await g.listDevices(), ["/dev/sda", "/dev/sdb", "/dev/sdc"]);
  assert.equal(await g.blockdevGetsize64("/dev/sdb"), 32 * 2 ** 20);
  assert.equal(await g.blockdevGetsize64("/dev/disk/guestfs/third"), 48 * 2 ** 20);
  await g.mkfs("ext4", "/dev/sdb");
  await g.mount("/dev/sdb", "/");
  await assert.rejects(g.removeDrive("second"), /busy/i);
  await g.umountAll();
  await g.removeDrive("second");
  assert.deepEqual(await g.listDevices(), ["/dev/sda", "/dev/sdb"]);
  assert.equal(await g.blockdevGetsize64("/dev/sdb"), 48 * 2 ** 20);
  await assert.rejects(g.addDrive(join(folder, "missing")), /No such file/);
  await g.addDrive(disk("fourth", 8), { format: "raw", label: "second" });
  assert.equal(await g.blockdevGetsize64("/dev/sdc"), 8 * 2 ** 20);
  await assert.rejects(g.removeDrive("nobody"), /no drive has the label/);
});

/** A QEMU that dies when its arguments hold a word. */
function mortalQemu(word: string): string {
  const path = join(folder, `qemu-${word.replaceAll(/\W/g, "")}`);
  writeFileSync(path, `#!/bin/sh\ncase "$*" in *'${word}'*) exit 3;; esac\nexec qemu-system-x86_64 "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

test(
  "a QEMU that dies while it restores or saves: booted in the same call, and why is told",
  { timeout: 600_000 },
  async () => {
    for (const word of ["-incoming", '"share":true']) {
      const said: string[] = [];
      await using g = new Guestfs();
      g.setHv(mortalQemu(word));
      g.setVerbose(true);
      g.on("library", ({ message }) => void said.push(message));
      g.on("appliance", () => undefined);
      await g.addDrive(disk("d", 16), { format: "raw" });
      await g.launch();
      assert.deepEqual(await g.listDevices(), ["/dev/sda"]);
      assert.match(said.join("\n"), /no template: QEMU ended at once \(exit status 3\)/);
    }
  },
);

test("a QEMU that always dies is a LaunchError", { timeout: 60_000 }, async () => {
  await using g = new Guestfs();
  g.setHv(mortalQemu("-machine"));
  await assert.rejects(g.launch(), (error) => error instanceof LaunchError && /exit status 3/.test(error.message));
});
