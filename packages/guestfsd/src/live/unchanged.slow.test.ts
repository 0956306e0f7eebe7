// What a client that reads leaves as it was, on devices of its own, in image files.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { TestContext } from "node:test";
import { RawClient, startOwnDaemon } from "@guestfs/testkit";
import type { OwnDaemon } from "@guestfs/testkit";

const folder = mkdtempSync(join(tmpdir(), "guestfsd-unchanged-"));
after(() => rmSync(folder, { recursive: true }));

function whyNot(...programs: string[]): string | false {
  if (process.geteuid?.() !== 0) return "loop devices and mounts need root";
  try {
    execFileSync("losetup", ["-f"], { stdio: "ignore" });
    for (const program of programs) execFileSync("which", [program], { stdio: "ignore" });
    return false;
  } catch {
    return `there are no loop devices, or no ${programs.join(", ")}`;
  }
}

function loopDevice(
  t: TestContext,
  name: string,
  size: number,
  make: readonly string[],
): { image: string; device: string } {
  const image = join(folder, name);
  writeFileSync(image, "");
  truncateSync(image, size);
  const device = execFileSync("losetup", ["-f", "--show", image], { encoding: "utf8" }).trim();
  t.after(() => execFileSync("losetup", ["-d", device]));
  const [program = "", ...words] = make;
  execFileSync(program, [...words, device], { stdio: "ignore" });
  return { image, device };
}

function hashOf(image: string): string {
  execFileSync("sync", [image]);
  return createHash("sha256").update(readFileSync(image)).digest("hex");
}

async function startLive(t: TestContext, policy: unknown): Promise<{ daemon: OwnDaemon; client: RawClient }> {
  const file = join(folder, "policy.json");
  writeFileSync(file, JSON.stringify(policy));
  const daemon = await startOwnDaemon({ args: ["-r", "--policy", file, "--run-dir", join(folder, "run")] });
  const client = await RawClient.connect(daemon.socketPath);
  t.after(async () => {
    client.close();
    await daemon.stop();
  });
  return { daemon, client };
}

const whyNoRpm = !existsSync("/usr/lib/x86_64-linux-gnu/librpm.so.9") && "there is no librpm";
/** An RPM database with nothing in it, as librpm makes one. */
const emptyDatabase = `
import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
for name in """Name Basenames Group Requirename Providename Conflictname Obsoletename Triggername Dirnames Installtid Sigmd5 Sha1header
    Filetriggername Transfiletriggername Recommendname Suggestname Supplementname Enhancename""".split():
    database.execute(f"CREATE TABLE '{name}' (key TEXT NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL)")
database.commit()
`;

for (const mode of ["read-write", "read-only"])
  describe(mode, () => {
    test("the subvolumes of a device are read, and it stays as it was", { skip: whyNot("mkfs.btrfs") }, async (t) => {
      const { image, device } = loopDevice(t, "btrfs", 120 * 1024 * 1024, ["mkfs.btrfs", "-q", "-f"]);
      const { daemon, client } = await startLive(t, { mode });
      const before = hashOf(image);
      assert.deepEqual(await client.call("btrfs_subvolume_list", { fs: device }), []);
      assert.equal(await client.call("btrfs_subvolume_get_default", { fs: device }), 5);
      await client.call("list_filesystems");
      assert.equal(hashOf(image), before);
      assert.equal(daemon.log(), "");
    });

    test("what a program writes down is read", { skip: whyNot("mksquashfs", "vgcfgbackup") }, async (t) => {
      const { daemon, client } = await startLive(t, { mode });
      mkdirSync(join(daemon.sysroot, "packed"));
      const image = await client.download("mksquashfs", { path: "/packed" });
      assert.equal(image.toString("latin1", 0, 4), "hsqs");
      const { device } = loopDevice(t, "lvm", 16 * 1024 * 1024, ["pvcreate", "-q"]);
      const name = `guestfsd-test-${process.pid}`;
      const config = ["--config", "backup{backup=0 archive=0}"];
      execFileSync("vgcreate", ["-q", ...config, name, device], { stdio: "ignore" });
      assert.ok(((await client.call("vgs")) as string[]).includes(name));
      assert.match(
        Buffer.from((await client.call("vgmeta", { vgname: name })) as Uint8Array).toString(),
        /physical_volumes/,
      );
    });

    test("RPM's database is read", { skip: whyNot("python3") || whyNoRpm }, async (t) => {
      const { daemon, client } = await startLive(t, { mode });
      const place = join(daemon.sysroot, "var/lib/rpm");
      mkdirSync(place, { recursive: true });
      execFileSync("python3", ["-c", emptyDatabase, join(place, "rpmdb.sqlite")]);
      assert.deepEqual(await client.call("internal_list_rpm_applications"), []);
      assert.deepEqual(readdirSync(place), ["rpmdb.sqlite"]);
    });

    test("the kernel loads no module that is of no filesystem, and keeps its settings", async (t) => {
      const limit = "/proc/sys/fs/inotify/max_queued_events";
      const before = readFileSync(limit, "utf8");
      const { client } = await startLive(t, { mode });
      assert.equal(await client.call("filesystem_available", { filesystem: "proc" }), true);
      assert.equal(await client.call("filesystem_available", { filesystem: "floppy" }), false);
      if (mode === "read-only")
        await assert.rejects(client.call("inotify_init", { maxevents: 777 }), /this client may change nothing/);
      else if (process.geteuid?.() === 0) await client.call("inotify_init", { maxevents: 777 });
      assert.equal(readFileSync(limit, "utf8"), before);
    });
  });
