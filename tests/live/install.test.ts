// A machine that is off: our daemon is taken out of it and put in again, and it boots with it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { buildGuestImage, startLiveMachine, whyNoLiveMachine } from "@guestfs/testkit";
import type { LiveMachine } from "@guestfs/testkit";
import { Guestfs } from "guestfs";
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
    assert.match(off.stdout, /^live access: no: it is off\nTo look into its disks: guestfs-live .*status -d guest$/m);
  });

  it("says what is installed in a machine that is off", async () => {
    const { status, stdout, stderr } = await runTool("guestfs-live", "-c", machine.uri, "status", "-d", "guest");
    assert.deepEqual([status, stderr], [0, ""], stdout);
    const lines = [
      /^machine: guest, off$/,
      /^channel: org\.libguestfs\.channel\.0$/,
      /^system: {2}Debian GNU\/Linux/,
      /^daemon: {2}guestfsd \d+\.\d+\.\d+, package guestfsd-live$/,
      /^policy: {2}read-write; .*from \/etc\/guestfsd\/policy\.json$/,
      /^unit: {4}\/usr\/lib\/systemd\/system\/guestfsd-live@\.service$/,
      /^udev: {4}\/usr\/lib\/udev\/rules\.d\/90-guestfsd-live\.rules$/,
      /^live access: yes, when it runs with a channel$/,
    ];
    const seen = stdout.trimEnd().split("\n");
    assert.equal(seen.length, lines.length, stdout);
    for (const [at, line] of lines.entries()) assert.match(seen[at] ?? "", line);
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
    // What it is told of its last client is in the journal, which this machine keeps in memory only.
    const g = new Guestfs();
    await g.addDomain(machine.name, { libvirturi: machine.uri, live: true });
    await g.launch();
    await g.touch("/root/touched");
    await g.close();
    await machine.run("mkdir -p /var/log/journal; journalctl --sync; cp -r /run/log/journal/. /var/log/journal; sync");
    await machine.destroy();
    const disk = join(folder, "disk.img");
    execFileSync("qemu-img", ["convert", "-O", "raw", machine.disk, disk]);
    const succeed = async (...args: string[]): Promise<string> => {
      const { status, stdout, stderr } = await runTool("guestfs-live", ...args);
      assert.deepEqual([status, stderr], [0, ""], stdout);
      return stdout;
    };
    const bytes = (): string => execFileSync("sha256sum", [disk], { encoding: "utf8" });
    const untouched = bytes();
    const there = JSON.parse(await succeed("status", "-a", disk, "--json")) as Record<string, unknown>;
    assert.deepEqual([there["problem"], there["machine"]], ["", disk]);
    assert.match(
      JSON.stringify(there["lastChange"]),
      /client \d+ \(org\.libguestfs\.channel\.0\): touch path=.*: done/,
    );
    assert.equal(bytes(), untouched);
    const onDisk = ["--format=raw", "-a", disk, "-m", "/dev/sda"];
    assert.match(await succeed("uninstall", "-a", disk), /^guestfsd is removed from \S+disk\.img\n$/);
    const again = await runTool("guestfs-live", "uninstall", "-a", disk);
    assert.equal(again.status, 1);
    assert.match(again.stderr, /guestfsd is not installed there/);
    const nothing = await runTool("guestfs-live", "status", "-a", disk);
    assert.equal(nothing.status, 3);
    assert.match(
      nothing.stdout,
      /^daemon: {2}none\nlive access: no: guestfsd is not installed there\nTo fix it: .* -a /m,
    );
    const bare = await runTool("virt-ls", ...onDisk, "/etc");
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
    const before = await runTool("guestfs-live", "status", "-a", disk);
    assert.equal(before.status, 3);
    assert.match(before.stdout, /^live access: no: its guestfsd is not ours: a stock one/m);
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
