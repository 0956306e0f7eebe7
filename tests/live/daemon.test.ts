// The daemon in a real machine: clients that come, go and are killed; a policy that holds; files that keep their times.
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Guestfs, RemoteError } from "guestfs";
import { encodeChunk } from "@guestfs/protocol";
import { RawClient, startLiveMachine, whyNoLiveMachine } from "@guestfs/testkit";
import type { LiveMachine } from "@guestfs/testkit";

const reason = whyNoLiveMachine();
if (reason !== undefined) console.log(`skipped: ${reason}`);

const [first, second] = ["org.libguestfs.channel.0", "org.libguestfs.channel.1"] as const;
const unit = `guestfsd-live@${first}.service`;
const attaches = Number(process.env.GUESTFS_TEST_ATTACHES ?? 1000);
const kills = Number(process.env.GUESTFS_TEST_KILLS ?? 200);

describe("the daemon in a running machine", { skip: reason ?? false }, () => {
  let machine: LiveMachine;
  let path: string;

  before(async () => {
    machine = await startLiveMachine({ daemon: "own", channels: [first, second] });
    path = await machine.channelPath(first);
  });
  after(() => machine?.stop());

  async function attach(readonly = false): Promise<Guestfs> {
    const g = new Guestfs();
    await g.addDomain(machine.name, { libvirturi: machine.uri, live: true, readonly });
    await g.launch();
    return g;
  }

  async function withMachine<T>(use: (g: Guestfs) => Promise<T>, readonly = false): Promise<T> {
    const g = await attach(readonly);
    try {
      return await use(g);
    } finally {
      await g.close();
    }
  }

  /** The daemon's process, descriptors, memory in kB, children, and files for a time: what may not grow. */
  async function cost(): Promise<{
    pid: string;
    descriptors: number;
    memory: number;
    children: string;
    files: string;
  }> {
    const script = `p=$(systemctl show -P MainPID ${unit}); echo $p; ls /proc/$p/fd | wc -l
      sed -n 's/VmRSS:[^0-9]*\\([0-9]*\\) kB/\\1/p' /proc/$p/status; cat /proc/$p/task/$p/children; echo
      find /tmp /var/tmp /run/guestfsd -mindepth 1 -not -path '*/systemd-private-*' 2>/dev/null | sort`;
    const [pid = "", descriptors, memory, children = "", ...files] = (await machine.run(script)).split("\n");
    return {
      pid,
      descriptors: Number(descriptors),
      memory: Number(memory),
      children,
      files: [...files, ...readdirSync(tmpdir()).filter((name) => name.includes(`-${process.pid}-`))].join("\n"),
    };
  }

  /** Sends bytes and is gone, without waiting for anything. */
  async function sendAndVanish(bytes: Uint8Array): Promise<void> {
    const socket = connect(path);
    socket.on("error", () => undefined);
    await once(socket, "connect");
    await new Promise<void>((settle) => socket.write(bytes, () => settle()));
    if (randomInt(2) === 0) await delay(randomInt(30));
    socket.destroy();
    await once(socket, "close");
  }

  it(`serves ${attaches} clients in a row, and is then as it was`, async () => {
    // Memory grows until the collector has seen what there is to collect.
    for (let i = 0; i < 100; i++) await withMachine((g) => g.cat("/etc/hostname"));
    const before = await cost();
    const started = Date.now();
    for (let i = 0; i < attaches; i++)
      await withMachine(async (g) => assert.equal(await g.cat("/etc/hostname"), "live-guest\n"));
    const afterwards = await cost();
    const each = (Date.now() - started) / attaches;
    console.log(
      `# ${attaches} attaches, ${each.toFixed(0)} ms each; ${before.memory} kB before, ${afterwards.memory} after; ${before.descriptors} descriptors before, ${afterwards.descriptors} after`,
    );
    assert.equal(afterwards.pid, before.pid);
    assert.equal(afterwards.descriptors, before.descriptors);
    assert.equal(afterwards.children.trim(), "");
    assert.equal(afterwards.files, before.files);
    assert.ok(afterwards.memory - before.memory < 32 * 1024, `grew from ${before.memory} to ${afterwards.memory} kB`);
  });

  it(`serves a good client after each of ${kills} that vanish at a random byte`, async () => {
    const maker = new RawClient(connect(path));
    maker.close();
    const content = Buffer.alloc(100_000, "content ");
    const conversations = [
      Buffer.concat([
        maker.encodeCall("mkdir", { path: "/root/random" }),
        maker.encodeCall("rmdir", { path: "/root/random" }),
      ]),
      maker.encodeCall("internal_write", { path: "/root/random-file", content }),
      Buffer.concat([
        maker.encodeCall("upload", { remotefilename: "/root/random-file" }),
        ...Array.from({ length: 10 }, () => encodeChunk({ type: "data", data: content.subarray(0, 8192) })),
      ]),
      maker.encodeCall("download", { remotefilename: "/dev/vda" }),
      maker.encodeCall("command", { arguments: ["sleep", "123456"] }),
      // What announces the most there can be, too much, and nothing that makes sense.
      Buffer.concat([Buffer.from([0, 0x40, 0, 0]), content]),
      Buffer.from([0xff, 0xff, 0xff, 0xf0, 1, 2, 3]),
      content,
    ];
    const before = await cost();
    let slowest = 0;
    for (let i = 0; i < kills; i++) {
      const whole = conversations[i % conversations.length] as Buffer;
      await sendAndVanish(whole.subarray(0, randomInt(whole.length + 1)));
      const started = Date.now();
      await withMachine(async (g) => assert.equal(await g.cat("/etc/hostname"), "live-guest\n"));
      slowest = Math.max(slowest, Date.now() - started);
    }
    const afterwards = await cost();
    console.log(`# ${kills} vanished; the good one after it took ${slowest} ms at most`);
    assert.equal(afterwards.pid, before.pid);
    assert.equal(afterwards.descriptors, before.descriptors);
    assert.equal(afterwards.children.trim(), "");
    assert.equal((await machine.tryRun("pgrep -f '[s]leep 123456'")).stdout, "");
  });

  it("refuses what would eat the machine, which is unharmed", async () => {
    await withMachine(async (g) => {
      const refused = async (work: Promise<unknown>, message: RegExp): Promise<void> => {
        await assert.rejects(work, (error) => {
          assert.ok(error instanceof RemoteError, String(error));
          assert.match(error.message, message);
          return true;
        });
      };
      const policy = /refused by the policy of this machine/;
      await refused(g.mkfs("ext4", "/dev/vda"), /could destroy .*; to allow it, put "mkfs" into calls\.allow of/);
      await refused(g.partInit("/dev/vda", "gpt"), policy);
      await refused(g.zeroDevice("/dev/vda"), policy);
      await refused(g.umountAll(), policy);
      await refused(g.debug("help", []), policy);
      await refused(g.dd("/etc/hostname", "/dev/vda"), /\/dev\/vda is in use/);
      await refused(g.pwriteDevice("/dev/vda", Buffer.from("x"), 0), /\/dev\/vda is in use/);
      await refused(g.e2fsck("/dev/vda"), /\/dev\/vda is in use/);
      await refused(g.write("/dev/vda", Buffer.from("x")), /the device is in use/);
    });
    const log = await machine.run("journalctl -t guestfsd -p notice --no-pager -o cat");
    assert.match(log, /client \d+ \(org\.libguestfs\.channel\.0\): mkfs fstype="ext4" device="\/dev\/vda": refused/);
    assert.match(log, /upload remotefilename="\/root\/random-file"/);
    assert.equal(await machine.run("dmesg --level=err,crit,alert,emerg | grep -iE 'ext4|vda' || true"), "");
    await machine.run("touch /root/still-writable; sync");
  });

  it("answers what a daemon with the machine's own / might not", async () => {
    await withMachine(async (g) => {
      assert.equal(await g.isFile("/etc/hostname"), true);
      assert.equal(await g.isDir("/etc"), true);
      assert.equal(await g.isBlockdev("/dev/vda"), true);
      assert.equal(await g.readlink("/bin"), "usr/bin");
      assert.equal(await g.realpath("/usr/../etc/./hostname"), "/etc/hostname");
      assert.match(await g.file("/etc/hostname"), /ASCII text|text/);
      assert.equal(await g.fileArchitecture("/bin/true"), "x86_64");
      assert.deepEqual(await g.mounts(), ["/dev/vda"]);
      assert.deepEqual({ ...(await g.mountpoints()) }, { "/dev/vda": "/" });
      assert.deepEqual(await g.listDevices(), ["/dev/vda"]);
      assert.equal((await g.listFilesystems())["/dev/vda"], "ext4");
      assert.equal(await g.command(["hostname"]), "live-guest\n");
      assert.equal(await g.sh("cd /etc && echo $PWD"), "/etc\n");
      assert.equal((await g.statvfs("/")).bsize, 4096);
      assert.equal((await g.globExpand("/etc/hostn*"))[0], "/etc/hostname");
      assert.match((await g.utsname()).uts_release, /^\d/);
      assert.equal(await g.vfsType("/dev/vda"), "ext4");
      await g.mkdirP("/root/a/b");
      await g.cpA("/etc/hostname", "/root/a/b/c");
      await g.rmRf("/root/a");
      assert.equal(await g.exists("/root/a"), false);
    });
    assert.equal(await machine.run("findmnt -n -o FSTYPE /; mount | grep -c sysroot || true"), "ext4\n0\n");
  });

  it("leaves no time of any file as it was not before, for a client that only reads", async () => {
    await machine.run(
      "mkdir -p /root/t/d; echo x > /root/t/d/f; ln -s d/f /root/t/l; find /root/t -exec touch -h -a -d 2001-01-01 {} +",
    );
    const times = (): Promise<string> => machine.run("stat -c '%n %x %y %z' /root/t /root/t/d /root/t/d/f /root/t/l");
    const before = await times();
    await withMachine(async (g) => {
      assert.equal(await g.cat("/root/t/l"), "x\n");
      assert.deepEqual(await g.ls("/root/t"), ["d", "l"]);
      assert.equal(await g.readlink("/root/t/l"), "d/f");
      assert.equal((await g.find("/root/t")).length, 3);
      await assert.rejects(g.touch("/root/t/new"), /this client asked to be kept from changing anything/);
      await assert.rejects(g.command(["true"]), /this client asked to be kept/);
    }, true);
    assert.equal(await times(), before);
    await withMachine((g) => g.touch("/root/t/new"));
  });

  it("leaves every file of the machine as it was, for a client that only reads", { timeout: 600_000 }, async () => {
    // Through a mount that keeps no times of access: what looks must not be what is seen.
    const view = (script: string): string =>
      `unshare --mount sh -c 'mount --bind / /mnt && mount -o remount,bind,noatime /mnt && cd /mnt && ${script}'`;
    const list = "find . -xdev -printf '\\''%p %A@ %T@ %C@ %s %m\\n'\\''";
    // Old enough for any access to show.
    await machine.run(view("find . -xdev -exec touch -h -a -d 2001-01-01 {} +; sync"));
    const snapshot = async (name: string): Promise<void> => void (await machine.run(`${view(list)} > /run/${name}`));
    // What the looking itself uses is used by then.
    for (const name of ["first", "second", "before"]) await snapshot(name);
    await withMachine(async (g) => {
      await g.find("/usr/share");
      await g.ls("/usr/bin");
      await g.cat("/etc/passwd");
      await g.readFile("/etc/fstab");
      await g.checksum("sha256", "/usr/bin/perl");
      await g.grep("root", "/etc/shadow");
      await g.globExpand("/etc/*.d/*");
      await g.readlink("/bin");
      await g.fileArchitecture("/bin/true");
      await g.tarOut("/etc", "/dev/null");
      await g.download("/usr/bin/perl", "/dev/null");
      await g.du("/var");
      await g.lxattrlist("/etc", ["passwd", "fstab"]);
    }, true);
    await snapshot("after");
    for (const names of ["second /run/before", "before /run/after"])
      assert.equal((await machine.tryRun(`diff /run/${names}`)).stdout, "");
    await machine.run("rm /run/first /run/second /run/before /run/after");
  });

  it("freezes the root filesystem, and thaws it by itself", async () => {
    await withMachine(async (g) => {
      assert.ok((await g.extensionFreeze(5, [])) >= 1);
      await assert.rejects(g.touch("/root/frozen"), /filesystems are frozen, for \d s more/);
      assert.equal(await g.cat("/etc/hostname"), "live-guest\n");
      assert.ok((await g.extensionThaw()) >= 1);
      await g.touch("/root/thawed");
      await g.extensionFreeze(1, ["/"]);
      await delay(2500);
      await g.touch("/root/thawed-again");
    });
    assert.match(await machine.run("ls /root"), /thawed\nthawed-again\n/);
  });

  it("serves two clients at once, and the end of one is nothing to the other", async () => {
    const [one, two] = [await attach(), await attach()];
    const size = 64 * 1024 * 1024;
    const upload = one.upload(
      (async function* () {
        for (let sent = 0; sent < size; sent += 65536) yield Buffer.alloc(65536, "u");
      })(),
      "/root/large",
    );
    const state = { done: false };
    const uploading = upload.then(
      () => (state.done = true),
      () => (state.done = true),
    );
    let calls = 0;
    let slowest = 0;
    while (!state.done && calls < 50) {
      const started = Date.now();
      assert.equal(await two.cat("/etc/hostname"), "live-guest\n");
      slowest = Math.max(slowest, Date.now() - started);
      calls++;
    }
    console.log(`# ${calls} calls beside an upload, ${slowest} ms at most`);
    assert.ok(calls > 1);
    await one.close();
    await uploading;
    assert.equal(await two.cat("/etc/hostname"), "live-guest\n");
    await two.close();
    await machine.run("rm -f /root/large");
  });
});
