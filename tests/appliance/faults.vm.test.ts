import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { ConnectionClosedError, Guestfs, RemoteError } from "guestfs";

const MiB = 1024 ** 2;
const folder = mkdtempSync(join(tmpdir(), "guestfs-faults-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A folder on a file system of its own, which is soon full. */
const rootOnly = process.geteuid?.() === 0 ? false : "only root can mount a small file system";

function smallFolder(size: string): { path: string; remove: () => void } {
  const path = join(folder, "small");
  mkdirSync(path);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "none", path]);
  return { path, remove: () => execFileSync("umount", [path]) };
}

async function launched(add: (g: Guestfs) => Promise<void>): Promise<{ g: Guestfs; temporary: string }> {
  const temporary = mkdtempSync(join(folder, "tmp-"));
  const g = new Guestfs({ environment: false });
  g.setTmpdir(temporary);
  await add(g);
  await g.launch();
  return { g, temporary };
}

describe("faults in the middle of the work", () => {
  test("the guest's disk is full: an error with its name, and the handle goes on", async () => {
    const { g, temporary } = await launched((handle) => handle.addDriveScratch(16 * MiB));
    await using _ = g;
    await g.mkfs("ext2", "/dev/sda");
    await g.mount("/dev/sda", "/");
    const isFull = (error: unknown): boolean => error instanceof RemoteError && error.errno === "ENOSPC";
    await assert.rejects(g.upload(new Uint8Array(32 * MiB), "/large"), isFull);
    await assert.rejects(g.fill(1, 32 * MiB, "/filled"), isFull);
    await g.rmF("/large");
    await g.rmF("/filled");
    await g.write("/small", new TextEncoder().encode("fits"));
    assert.equal(await g.cat("/small"), "fits");
    await g.close();
    assert.deepEqual(readdirSync(temporary), []);
  });

  test("the host's disk is full: the guest is told, nothing hangs", { skip: rootOnly }, async () => {
    const small = smallFolder("8m");
    try {
      const image = join(small.path, "disk.img");
      writeFileSync(image, "");
      truncateSync(image, 64 * MiB);
      const { g } = await launched((handle) => handle.addDrive(image, { format: "raw" }));
      await using _ = g;
      const content = new Uint8Array(MiB).fill(7);
      await assert.rejects(
        async () => {
          for (let at = 0; at < 32; at++) await g.pwriteDevice("/dev/sda", content, at * MiB);
          await g.blockdevFlushbufs("/dev/sda");
          await g.sync();
        },
        (error) => error instanceof RemoteError && ["EIO", "ENOSPC"].includes(error.errno),
      );
      await g.pingDaemon();
      await g.close().catch((error: unknown) => assert.ok(error instanceof RemoteError));
    } finally {
      small.remove();
    }
  });

  test("the daemon is killed: the call in its way ends, and nothing is left", async () => {
    const { g, temporary } = await launched((handle) => handle.addDriveScratch(MiB));
    await using _ = g;
    const pid = g.getPid();
    await assert.rejects(g.debug("sh", ["kill", "-9", "$PPID"]), ConnectionClosedError);
    await g.close();
    assert.deepEqual(readdirSync(temporary), []);
    assert.equal(existsSync(`/proc/${pid}`), false);
  });

  test("a qcow2 image that ends in the middle of its data: an error, not a wrong answer", async () => {
    const image = join(folder, "cut.qcow2");
    {
      const made = new Guestfs({ environment: false });
      await using _ = made;
      await made.diskCreate(image, "qcow2", 64 * MiB);
      await made.addDrive(image, { format: "qcow2" });
      await made.launch();
      await made.pwriteDevice("/dev/sda", new Uint8Array(MiB).fill(7), 32 * MiB);
      await made.close();
    }
    truncateSync(image, 330_000);
    const { g } = await launched((handle) => handle.addDrive(image, { format: "qcow2", readonly: true }));
    await using _ = g;
    const data = await g.preadDevice("/dev/sda", 512 * 1024, 32.5 * MiB).catch((error: unknown) => error);
    if (data instanceof Uint8Array) assert.ok(data.every((byte) => byte === 0 || byte === 7));
    else assert.ok(data instanceof RemoteError);
    await g.pingDaemon();
  });
});
