// The library and the programs with a machine that runs under libvirt: attached again and again, cut off anywhere, and
// told what is wrong.
import assert from "node:assert/strict";
import { randomBytes, randomInt } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Guestfs, LaunchError } from "guestfs";
import { codecOf, encodeChunk, encodeMessage } from "@guestfs/protocol";
import { procedureByName } from "@guestfs/schema";
import { startLibvirt, startLiveMachine, whyNoLiveMachine } from "@guestfs/testkit";
import type { Libvirt, LiveMachine } from "@guestfs/testkit";
import { runTool } from "./run-tool.ts";
import type { ToolOutcome } from "./run-tool.ts";

const reason = whyNoLiveMachine();
if (reason !== undefined) console.log(`# skipped: ${reason}`);

const [port, otherPort] = ["org.libguestfs.channel.0", "org.libguestfs.channel.1"];

function call(name: string, args: object): Uint8Array {
  const row = procedureByName.get(name);
  assert.ok(row);
  const header = { procedure: row.proc as number, direction: "call", serial: 1, progressHint: 0, optionalMask: 0n };
  return encodeMessage({ ...header, direction: "call", status: "ok" }, (writer) =>
    codecOf(row).writeArguments(writer, args as never),
  );
}

/** What clients say before they are cut off: a download, an upload, calls, and what no client says. */
const sayings: readonly (() => Uint8Array)[] = [
  () => call("download", { remotefilename: "/usr/bin/perl" }),
  () =>
    Buffer.concat([
      call("upload", { remotefilename: "/root/cut-off" }),
      ...Array.from({ length: 20 }, () => encodeChunk({ type: "data", data: randomBytes(8192) })),
    ]),
  () => Buffer.concat([call("lstatns", { path: "/" }), call("lstatns", { path: "/etc" })]),
  () => randomBytes(5000),
  () => Buffer.from("ffffffff010203", "hex"),
  () => Buffer.from("003fffff010203", "hex"),
];

/** A client that is cut off after so many bytes. */
async function cutOff(path: string, bytes: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect(path);
    socket.once("error", reject).once("connect", () => {
      socket.once("close", () => resolve());
      socket.write(bytes, () => setTimeout(() => socket.destroy(), randomInt(30)));
    });
  });
}

/** A client that keeps a channel to itself. */
async function occupy(path: string): Promise<Socket> {
  const socket = connect(path);
  await new Promise((resolve, reject) => socket.once("data", resolve).once("error", reject));
  return socket;
}

describe("clients of running machines", { skip: reason ?? false }, () => {
  let libvirt: Libvirt;
  let machine: LiveMachine;
  const handle = async (name = machine.name, options: object = {}): Promise<Guestfs> => {
    const g = new Guestfs();
    await g.addDomain(name, { libvirturi: libvirt.uri, live: true, ...options });
    return g;
  };
  const problem = async (name = machine.name): Promise<string> => {
    await using g = await handle(name);
    const error = await g.launch().then(
      () => assert.fail("it launched"),
      (failure: unknown) => failure,
    );
    assert.ok(error instanceof LaunchError, String(error));
    return error.message;
  };
  const tool = (name: string, ...args: string[]): Promise<ToolOutcome> =>
    runTool(name, "-c", libvirt.uri, "--live", "-d", machine.name, ...args);

  before(async () => {
    libvirt = await startLibvirt();
    machine = await startLiveMachine({ daemon: "own", libvirt, name: "own", channels: [port, otherPort] });
  });
  after(() => libvirt?.stop());

  it("attaches a thousand times in a row", async () => {
    for (let turn = 0; turn < 1000; turn++) {
      await using g = new Guestfs();
      // Without asking libvirt each time.
      g.setBackend(`unix:${await path(turn)}`);
      await g.launch();
      await g.pingDaemon();
    }
  });
  const paths: string[] = [];
  async function path(turn: number): Promise<string> {
    return (paths[turn % 2] ??= await machine.channelPath(turn % 2 === 0 ? port : otherPort));
  }

  it("attaches after two hundred clients that were cut off anywhere", async () => {
    await machine.waitForChannel("connected", port);
    const channel = await machine.channelPath(port);
    for (let turn = 0; turn < 200; turn++) {
      const bytes = (sayings[turn % sayings.length] as () => Uint8Array)();
      const kept = randomInt(bytes.length + 1);
      await cutOff(channel, bytes.subarray(0, kept));
      await using g = await handle();
      await g.launch().catch((error: unknown) => {
        throw new Error(`turn ${turn}, after ${kept} of ${bytes.length} bytes`, { cause: error });
      });
      assert.equal(await g.isDir("/etc"), true);
    }
    assert.equal(await machine.run("systemctl is-active guestfsd-live@org.libguestfs.channel.0"), "active\n");
  });

  it("takes the channel that is free, and says when none is", async () => {
    const first = await occupy(await machine.channelPath(port));
    try {
      await using g = await handle();
      await g.launch();
      assert.equal(await g.isDir("/"), true);
      assert.match(await problem(), /^launch: other clients hold all 2 channels of own\n.*guestfs-live enable own/s);
    } finally {
      first.destroy();
    }
  });

  it("says that the machine is paused, or off", async () => {
    await libvirt.virsh("suspend", machine.name);
    assert.match(
      await problem(),
      /^launch: the machine own is paused, so nothing in it answers\nTo fix it: virsh -c \S+ resume own/,
    );
    await libvirt.virsh("resume", machine.name);
    await using g = await handle();
    await g.launch();
  });

  it("says that nothing in the machine holds the channel", async () => {
    await machine.run("systemctl stop 'guestfsd-live@*'");
    await machine.waitForChannel("disconnected", port);
    assert.match(
      await problem(),
      /^launch: guestfsd is not running in the machine own: nothing in it holds port .*\n.*state='disconnected'.*systemctl start/s,
    );
    await machine.run("systemctl start guestfsd-live@org.libguestfs.channel.0 guestfsd-live@org.libguestfs.channel.1");
    await machine.waitForChannel("connected", port);
  });

  it("changes nothing with readonly, by the daemon's own word", async () => {
    await using g = await handle(machine.name, { readonly: true });
    await g.launch();
    const before = await machine.run("stat -c '%x %y %z' /etc/hostname");
    await g.readFile("/etc/hostname");
    await assert.rejects(g.touch("/etc/hostname"), /refused: this client asked to be kept from changing anything/);
    assert.equal(await machine.run("stat -c '%x %y %z' /etc/hostname"), before);
  });

  it("works with the programs", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "live-clients-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const good = async (name: string, ...args: string[]): Promise<string> => {
      const { status, stdout, stderr } = await tool(name, ...args);
      assert.deepEqual([status, stderr], [0, ""], `${name} ${args.join(" ")}`);
      return stdout;
    };
    writeFileSync(join(folder, "greeting"), "from outside\n");
    await good("virt-copy-in", join(folder, "greeting"), "/root");
    await good("virt-edit", "-e", "s/outside/far outside/", "/root/greeting");
    assert.equal(await machine.run("cat /root/greeting"), "from far outside\n");
    assert.equal(await good("virt-cat", "/root/greeting"), "from far outside\n");
    const listed = (await good("virt-ls", "-lR", "/usr")).trimEnd().split("\n");
    assert.equal(listed.length, Number(await machine.run("find /usr | wc -l")));
    const mount = join(folder, "mount");
    mkdirSync(mount);
    await good("guestmount", mount);
    try {
      assert.equal(readFileSync(join(mount, "root/greeting"), "utf8"), "from far outside\n");
      writeFileSync(join(mount, "root/mounted"), "through the folder\n");
    } finally {
      assert.equal((await runTool("guestunmount", mount)).status, 0);
    }
    assert.equal(await machine.run("cat /root/mounted"), "through the folder\n");
  });

  it("says that the machine was switched off since", async () => {
    await using g = await handle();
    await machine.destroy();
    await assert.rejects(g.launch(), /^LaunchError: launch: the machine own is off \(shut off\): it was on when/);
    await using disks = await handle();
    assert.equal(disks.getBackend(), "direct");
  });

  it("works with the stock daemon as far as it can", async () => {
    await using stock = await startLiveMachine({ daemon: "stock", libvirt, name: "stock" });
    for (let turn = 0; turn < 3; turn++) {
      await stock.waitForChannel("connected");
      await using g = await handle("stock");
      await g.launch();
      assert.equal(await g.filesize("/etc/hostname"), Number(await stock.run("stat -c %s /etc/hostname")));
    }
    await stock.waitForChannel("connected");
    {
      await using g = await handle("stock", { readonly: true });
      await g.launch();
      await assert.rejects(g.touch("/root/x"), /touch: refused: the machine was attached read-only/);
    }
    // One that stands still, as it does when it missed that its client went away.
    await stock.run("systemctl restart stock-guestfsd; sleep 3; systemctl kill --signal=STOP stock-guestfsd");
    await stock.waitForChannel("connected");
    assert.match(
      await problem("stock"),
      /^launch: something in the machine stock holds port .* neither greets nor answers\n.*it needs a restart/s,
    );
  });
});
