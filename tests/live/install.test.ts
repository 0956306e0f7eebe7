// A machine that is off: our daemon is taken out of it and put in again, and it boots with it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { buildGuestImage, startLiveMachine, whyNoLiveMachine } from "@guestfs/testkit";
import type { LiveMachine } from "@guestfs/testkit";
import { runTool } from "./run-tool.ts";

const reason = whyNoLiveMachine();
if (reason !== undefined) console.log(`skipped: ${reason}`);

describe("guestfs-live with a machine that is off", { skip: reason ?? false }, () => {
  let machine: LiveMachine;
  before(async () => {
    machine = await startLiveMachine({ daemon: "own", channels: [], start: false });
  });
  after(() => machine?.stop());

  it("says that the machine is off", async () => {
    const { status, stdout } = await runTool("guestfs-live", "-c", machine.uri, "enable", "guest");
    assert.equal(status, 0);
    assert.equal(stdout, "guest has org.libguestfs.channel.0, from its next start on\n");
    const off = await runTool("guestfs-live", "-c", machine.uri, "status", "guest");
    assert.equal(off.status, 3);
    assert.match(off.stdout, /^live access: no: it is off$/m);
  });

  it("refuses a disk that names another file", async () => {
    const { status, stderr } = await runTool("guestfs-live", "uninstall", "-a", machine.disk);
    assert.equal(status, 1);
    assert.match(stderr, /names another file: a backing file/);
  });

  it("removes the daemon", async () => {
    const { status, stdout, stderr } = await runTool("guestfs-live", "-c", machine.uri, "uninstall", "-d", "guest");
    assert.equal(status, 0, stderr);
    assert.equal(stdout, "guestfsd is removed from guest\n");
  });

  it("puts it in; the machine boots with it", async () => {
    const { status, stdout, stderr } = await runTool("guestfs-live", "-c", machine.uri, "install", "-d", "guest");
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^guestfsd \d+\.\d+\.\d+ is installed in guest and starts with the channel\n/);
    await machine.start();
    await machine.waitForChannel("connected", "org.libguestfs.channel.0");
    assert.equal(
      await machine.run("dpkg --verify guestfsd-live | grep -v /usr/share/doc; dpkg --audit; ls /var/tmp"),
      "",
    );
    const usable = await runTool("guestfs-live", "-c", machine.uri, "status", "guest");
    assert.equal(usable.status, 0, usable.stdout);
  });

  it("does the same with a disk that no libvirt knows, which boots with it", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "guestfs-install-"));
    t.after(() => rmSync(folder, { recursive: true }));
    await machine.destroy();
    const disk = join(folder, "disk.img");
    execFileSync("qemu-img", ["convert", "-O", "raw", machine.disk, disk]);
    const succeed = async (...args: string[]): Promise<string> => {
      const { status, stdout, stderr } = await runTool("guestfs-live", ...args);
      assert.deepEqual([status, stderr], [0, ""], stdout);
      return stdout;
    };
    assert.match(await succeed("uninstall", "-a", disk), /^guestfsd is removed from \S+disk\.img\n$/);
    const again = await runTool("guestfs-live", "uninstall", "-a", disk);
    assert.equal(again.status, 1);
    assert.match(again.stderr, /guestfsd is not installed there/);
    const bare = await runTool("virt-ls", "--format=raw", "-a", disk, "-m", "/dev/sda", "/etc");
    assert.equal(bare.status, 0, bare.stderr);
    assert.doesNotMatch(bare.stdout, /^guestfsd$/m);
    assert.match(await succeed("install", "-a", disk), /^guestfsd \S+ is installed in \S+disk\.img and starts with/);
    // Where the machine's own QEMU reads it.
    execFileSync("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", disk, machine.disk]);
    await machine.start();
    await machine.waitForChannel("connected", "org.libguestfs.channel.0");
    assert.match(await machine.run("dpkg -s guestfsd-live"), /^Status: install ok installed$/m);
    assert.equal((await runTool("guestfs-live", "-c", machine.uri, "status", "guest")).status, 0);
  });

  it("takes the place of the distribution's guestfsd", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "guestfs-install-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const disk = join(folder, "disk.img");
    execFileSync("cp", ["--sparse=always", (await buildGuestImage("stock")).disk, disk]);
    const { status, stderr } = await runTool("guestfs-live", "install", "-a", disk);
    assert.deepEqual([status, stderr], [0, ""]);
    const onDisk = ["--format=raw", "-a", disk, "-m", "/dev/sda"];
    const known = await runTool("virt-cat", ...onDisk, "/var/lib/dpkg/status");
    const stateOf = (name: string): string | undefined =>
      new RegExp(`^Package: ${name}\nStatus: (.*)$`, "m").exec(known.stdout)?.[1];
    assert.equal(stateOf("guestfsd-live"), "install ok installed");
    assert.notEqual(stateOf("guestfsd"), "install ok installed");
    assert.equal((await runTool("virt-ls", ...onDisk, "/var/tmp")).stdout, "");
  });
});
