// A machine that starts without a channel: it gets one, is looked into, gets another, and loses them, as it runs.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { windowSize } from "@guestfs/protocol";
import { Guestfs } from "guestfs";
import { startLiveMachine, whyNoLiveMachine } from "@guestfs/testkit";
import type { LiveMachine } from "@guestfs/testkit";
import { runTool } from "./run-tool.ts";
import type { ToolOutcome } from "./run-tool.ts";

const reason = whyNoLiveMachine();
if (reason !== undefined) console.log(`skipped: ${reason}`);

const port = "org.libguestfs.channel.0";
const MiB = 1024 * 1024;
const unit = `guestfsd-live@${port}.service`;

describe("guestfs-live with a running machine", { skip: reason ?? false }, () => {
  let machine: LiveMachine;
  const tool = (...args: string[]): Promise<ToolOutcome> => runTool("guestfs-live", "-c", machine.uri, ...args);
  const succeed = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await tool(...args);
    assert.equal(status, 0, `guestfs-live ${args.join(" ")}: ${stdout}${stderr}`);
    assert.equal(stderr, "");
    return stdout;
  };

  before(async () => {
    machine = await startLiveMachine({ daemon: "own", channels: [] });
    console.log(`# the machine came up in ${(machine.bootMs / 1000).toFixed(1)} s`);
  });
  after(() => machine?.stop());

  it("says that there is no channel, and how to add one", async () => {
    const { status, stdout } = await tool("status", "guest");
    assert.equal(status, 3);
    assert.match(stdout, /^machine: guest, running\nchannel: none\nlive access: no: it has no channel/);
    assert.match(stdout, /guestfs-live enable guest/);
  });

  it("adds a channel as the machine runs; udev starts the daemon", async () => {
    assert.equal(await succeed("enable", "guest"), `guest has ${port}\n`);
    await machine.waitForChannel("connected", port);
    assert.equal(await machine.run(`systemctl is-active ${unit}`), "active\n");
    assert.equal(await succeed("enable", "guest"), "guest has its channel already\n");
    assert.match(await machine.libvirt.virsh("dumpxml", "--inactive", "guest"), /org\.libguestfs\.channel\.0/);
  });

  it("writes a file that the machine itself reads, and reads one that it wrote", async () => {
    await machine.run("echo from inside > /root/inside");
    await using g = new Guestfs();
    g.setBackend(`unix:${await machine.channelPath(port)}`);
    await g.launch();
    assert.equal(await g.cat("/root/inside"), "from inside\n");
    await g.write("/root/outside", new TextEncoder().encode("from outside\n"));
    assert.equal(await machine.run("cat /root/outside; stat -c %U /root/outside"), "from outside\nroot\n");
  });

  it("says what is there", async () => {
    await machine.waitForChannel("connected", port);
    const stdout = await succeed("status", "guest");
    assert.match(stdout, /^channel: org\.libguestfs\.channel\.0, connected, \//m);
    assert.match(stdout, /^daemon: {2}guestfsd /m);
    assert.match(stdout, /^live access: yes$/m);
    const report = JSON.parse(await succeed("status", "guest", "--json")) as Record<string, unknown>;
    assert.equal(report.problem, "");
  });

  it("has the machine hold still while a command runs, and says when that took too long", async () => {
    const writes = "timeout -s KILL 1 touch /root/meanwhile";
    const { status, stderr } = await tool("freeze", "guest", "-v", "--", "sh", "-c", "echo still; exit 7");
    assert.equal(status, 7);
    assert.match(stderr, /[1-9]\d* filesystems are frozen, for 30 s at most\n.*[1-9]\d* filesystems are thawed/s);
    await machine.run(writes);
    const path = await machine.channelPath(port);
    assert.equal(await succeed("freeze", "guest", "--mountpoint", "/", "--", "test", "-S", path), "");
    const late = await tool("freeze", "guest", "--seconds", "1", "--", "sleep", "4");
    assert.equal(late.status, 3);
    assert.match(late.stderr, /^guestfs-live: the machine went on after 1 s, before sleep had ended/);
    const both = await tool("freeze", "guest", "--seconds", "1", "--", "sh", "-c", "sleep 4; exit 7");
    assert.equal(both.status, 7);
    assert.match(both.stderr, /^guestfs-live: the machine went on after 1 s/);
    const killed = await tool("freeze", "guest", "--", "sh", "-c", "kill -TERM $PPID; exec sleep 60");
    assert.equal(killed.status, 128 + 15);
    await machine.run(writes);
    const missing = await tool("freeze", "guest", "--", "no-such-program");
    assert.match(missing.stderr, /^guestfs-live: no-such-program: no such program/);
    assert.match((await tool("freeze", "guest")).stderr, /freeze takes a COMMAND/);
    assert.match((await tool("freeze", "guest", "--seconds", "0", "--", "true")).stderr, /from 1 to 600/);
  });

  it("serves a second client on a second channel", async () => {
    assert.equal(await succeed("enable", "guest", "--channels", "2"), "guest has org.libguestfs.channel.1\n");
    await machine.waitForChannel("connected", "org.libguestfs.channel.1");
    const clients = [new Guestfs(), new Guestfs()];
    try {
      for (const [number, g] of clients.entries()) {
        g.setBackend(`unix:${await machine.channelPath(`org.libguestfs.channel.${number}`)}`);
        await g.launch();
      }
      const answers = await Promise.all(clients.map((g) => g.cat("/etc/hostname")));
      assert.deepEqual(answers, ["live-guest\n", "live-guest\n"]);
    } finally {
      await Promise.all(clients.map((g) => g.close()));
    }
  });

  it("gives a running machine a window, which large uploads go through, two clients' side by side", async () => {
    assert.equal(await succeed("enable", "guest", "--window"), "guest has a window\n");
    assert.equal(await succeed("enable", "guest", "--window"), "guest has its channel and its window already\n");
    const [, windowFile] = /^window: {2}(.+)$/m.exec(await succeed("status", "guest")) ?? [];
    assert.ok(windowFile);
    const seen = (): Buffer => readFileSync(windowFile);
    const [first, size] = [MiB, seen().length];
    const empty = Buffer.alloc(size);
    const clients = [randomBytes(9 * MiB + 4097), randomBytes(5 * MiB + 1)].map((content) => ({
      content,
      g: new Guestfs(),
    }));
    try {
      for (const { g } of clients) {
        await g.addDomain("guest", { libvirturi: machine.uri, live: true });
        await g.launch();
      }
      await Promise.all(clients.map(({ g, content }, i) => g.upload(content, `/root/large${i}`)));
      for (const [i, { content }] of clients.entries()) {
        const sum = createHash("sha256").update(content).digest("hex");
        assert.equal((await machine.run(`sha256sum < /root/large${i}`)).split(" ")[0], sum);
        // The second last of its pieces, in the client's own place.
        const piece = Math.floor(content.length / MiB) - 1;
        const place = first + i * windowSize + (piece % (windowSize / MiB)) * MiB;
        assert.ok(
          seen()
            .subarray(place, place + MiB)
            .equals(content.subarray(piece * MiB, (piece + 1) * MiB)),
        );
      }
      // Nobody in the machine takes it for a filesystem.
      assert.ok(seen().subarray(0, first).equals(empty.subarray(0, first)));
      assert.ok(
        seen()
          .subarray(size - MiB)
          .equals(empty.subarray(0, MiB)),
      );
      assert.notEqual((await machine.tryRun("blkid -p /dev/vdb")).status, 0);
    } finally {
      await Promise.all(clients.map(({ g }) => g.close()));
    }
    while (!seen().equals(empty)) await delay(50);
    await using g = new Guestfs();
    assert.equal(await g.addDomain("guest", { libvirturi: machine.uri, readonly: true }), 1);
  });

  it("goes on after a client that was killed in the middle of an upload through the window", async () => {
    const content = randomBytes(6 * MiB);
    const killed = fork(new URL("endless-upload.ts", import.meta.url), [machine.uri, "guest", "/root/endless"]);
    const exited = once(killed, "exit");
    while ((await machine.tryRun("test $(stat -c %s /root/endless) -gt 5000000")).status !== 0) await delay(100);
    killed.kill("SIGKILL");
    await exited;
    await using g = new Guestfs();
    await g.addDomain("guest", { libvirturi: machine.uri, live: true });
    await g.launch();
    await g.upload(content, "/root/large0");
    assert.equal(await g.checksum("sha256", "/root/large0"), createHash("sha256").update(content).digest("hex"));
    await machine.run("rm /root/endless /root/large*");
  });

  it("comes back when the daemon is killed in the machine", async () => {
    await machine.waitForChannel("connected", port);
    const pid = await machine.run(`systemctl kill --signal=KILL ${unit}; systemctl show -P MainPID ${unit}`);
    while ((await machine.run(`systemctl show -P MainPID ${unit}`)).trim() === pid.trim()) await delay(200);
    await machine.waitForChannel("connected", port);
    assert.match(await succeed("status", "guest"), /^live access: yes$/m);
  });

  it("says when no daemon runs in the machine", async () => {
    await machine.run("systemctl stop 'guestfsd-live@*'");
    await machine.waitForChannel("disconnected", port);
    const { status, stdout } = await tool("status", "guest");
    assert.equal(status, 3);
    assert.match(stdout, /^live access: no: .*guestfsd is not running in the machine guest/m);
    await machine.run(`systemctl start ${unit}`);
    await machine.waitForChannel("connected", port);
  });

  it("takes the channels away as the machine runs; the daemons end with them", async () => {
    const uuid = (await machine.libvirt.virsh("domuuid", "guest")).trim();
    assert.equal(await succeed("disable", "guest", "--window"), "guest has lost its window\n");
    assert.equal(await succeed("disable", "guest", "--window"), "guest has no window\n");
    assert.equal(await machine.run("ls /sys/block"), "vda\n");
    assert.equal(await succeed("enable", "guest", "--window"), "guest has a window\n");
    assert.equal(await succeed("disable", "guest"), `guest has lost its window, ${port}, org.libguestfs.channel.1\n`);
    assert.deepEqual(
      readdirSync("/dev/shm").filter((name) => name === `guestfs-window-${uuid}`),
      [],
    );
    assert.equal(await machine.channelState(port), undefined);
    while ((await machine.tryRun(`systemctl is-active --quiet ${unit}`)).status === 0) await delay(200);
    assert.doesNotMatch(await machine.libvirt.virsh("dumpxml", "--inactive", "guest"), /org\.libguestfs/);
    assert.equal(await succeed("disable", "guest"), "guest has no channel for guestfsd\n");
    assert.equal((await machine.tryRun("systemctl --failed --no-legend")).stdout, "");
  });

  it("has one clear message for each mistake", async () => {
    const complaint = async (...args: string[]): Promise<string> => {
      const { status, stdout, stderr } = await runTool("guestfs-live", ...args);
      assert.equal(status, 1, stdout);
      assert.match(stderr, /^guestfs-live: /);
      return stderr;
    };
    assert.match(await complaint("-c", machine.uri, "status", "nobody"), /has no domain "nobody"; it has guest/);
    assert.match(await complaint("-c", "qemu+unix:///session?socket=/nowhere", "enable", "guest"), /can't be reached/);
    assert.match(await complaint("-c", machine.uri, "install", "-d", "guest"), /guest runs, and writing to its disks/);
    assert.match(await complaint("frobnicate"), /there is no "frobnicate"/);
    assert.match(await complaint("install"), /either -a DISK or -d NAME/);
    assert.match(await complaint("enable", "guest", "--channels", "0"), /from 1 to 8/);
    assert.match(await complaint("status"), /takes the NAME of one machine/);
    assert.match(await complaint("status", "-a", "x", "-d", "guest"), /either -a DISK or -d NAME/);
    assert.match(await complaint("disable", "guest", "--json"), /disable takes no --json/);
  });
});
