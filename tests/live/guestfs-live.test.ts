// A machine that starts without a channel: it gets one, is looked into, gets another, and loses them, as it runs.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Guestfs } from "guestfs";
import { startLiveMachine, whyNoLiveMachine } from "@guestfs/testkit";
import type { LiveMachine } from "@guestfs/testkit";
import { runTool } from "./run-tool.ts";
import type { ToolOutcome } from "./run-tool.ts";

const reason = whyNoLiveMachine();
if (reason !== undefined) console.log(`skipped: ${reason}`);

const port = "org.libguestfs.channel.0";
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
    assert.equal(await succeed("disable", "guest"), `guest has lost ${port}, org.libguestfs.channel.1\n`);
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
