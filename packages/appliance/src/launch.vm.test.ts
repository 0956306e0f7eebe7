import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runOwned } from "@guestfs/qemu";
import { ApplianceError } from "./appliance-error.ts";
import { acquireCacheLock } from "./cache-lock.ts";
import { startAppliance } from "./launch.ts";
import type { ApplianceOptions, RunningAppliance } from "./running-appliance.ts";

const cacheDir =
  process.env["LIBGUESTFS_CACHEDIR"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "guestfs");
let folder = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "launch-test-"));
  await runOwned("qemu-img", ["create", "-q", "-f", "raw", "a, b.img", "32M"], { cwd: folder });
  await runOwned("qemu-img", ["create", "-q", "-f", "qcow2", "b.qcow2", "64M"], { cwd: folder });
  await runOwned("qemu-img", ["create", "-q", "-f", "qcow2", "-b", "a, b.img", "-F", "raw", "c.qcow2"], {
    cwd: folder,
  });
  await runOwned("qemu-img", ["create", "-q", "-f", "vdi", "d.vdi", "16M"], { cwd: folder });
});
after(() => rm(folder, { recursive: true }));

const path = (name: string): string => join(folder, name);
const options = (more: Partial<ApplianceOptions>): ApplianceOptions => ({
  drives: [],
  memsize: 512,
  smp: 1,
  network: false,
  cacheDir,
  tmpDir: folder,
  daemonBundle: fileURLToPath(new URL("../fixtures/stand-in-daemon", import.meta.url)),
  verbose: false,
  template: false,
  timeoutMs: 300_000,
  ...more,
});

const digest = async (name: string): Promise<string> =>
  createHash("sha256")
    .update(await readFile(path(name)))
    .digest("hex");

async function* bytesOf(appliance: RunningAppliance): AsyncGenerator<Buffer, void> {
  for await (const bytes of appliance.channel) yield bytes as Buffer;
}

/** Runs a line of shell in the guest. */
async function shell(appliance: RunningAppliance, stream: AsyncGenerator<Buffer, void>, line: string): Promise<string> {
  appliance.channel.write(`${line}\n`);
  let output = "";
  for (;;) {
    const { value, done } = await stream.next();
    if (done === true) throw new Error(`the channel ended after ${output}`);
    output += value.toString("utf8");
    const match = /\nEND (\d+)\n$/.exec(output);
    if (match === null) continue;
    assert.equal(match[1], "0", `${line}: ${output}`);
    return output.slice(0, match.index).trim();
  }
}

const failure = async (start: Promise<RunningAppliance>): Promise<ApplianceError> => {
  const error = await start.then(
    () => assert.fail("started"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ApplianceError, String(error));
  return error;
};

test("a whole life: drives of several kinds, what read-only means, the end", { timeout: 600_000 }, async (t) => {
  const before = await Promise.all(["b.qcow2", "d.vdi"].map(digest));
  const lines: string[] = [];
  const appliance = await startAppliance(
    options({
      drives: [
        { filename: path("c.qcow2"), allowOtherFiles: true, label: "first" },
        { filename: path("b.qcow2"), readonly: true, format: "qcow2", discard: "besteffort", copyonread: true },
        { filename: path("d.vdi"), readonly: true, cachemode: "unsafe", blocksize: 4096 },
      ],
      onDebug: (line) => lines.push(line),
    }),
  );
  t.after(() => appliance.kill());
  t.diagnostic(lines.filter((line) => line.includes(" ms: ") && !line.includes("running")).join("; "));
  const stream = bytesOf(appliance);
  assert.deepEqual((await stream.next()).value, Buffer.from([0xf5, 0xf5, 0x5f, 0xf5]));

  assert.equal(
    await shell(appliance, stream, "cat /sys/bus/scsi/devices/0:0:?:0/block/sd?/size"),
    "65536\n131072\n32768",
  );
  assert.equal(
    await shell(appliance, stream, "cat /sys/bus/scsi/devices/0:0:2:0/block/sd?/queue/logical_block_size"),
    "4096",
  );
  assert.match(await shell(appliance, stream, "tr -d '\\0' < /sys/bus/scsi/devices/0:0:0:0/vpd_pg80"), /first$/);
  assert.match(await shell(appliance, stream, "ls /sys/class/net /dev/virtio-ports"), /org.libguestfs.channel.0/);
  assert.equal(await shell(appliance, stream, "ls /sys/class/net"), "lo");
  // The kernel names disks in the order in which their probes happen to end; the daemon goes by the target, and so does this.
  const names = await shell(appliance, stream, "for t in 0 1 2; do ls /sys/bus/scsi/devices/0:0:$t:0/block; done");
  const [first, second, third] = names.split("\n");
  for (const device of [first, second]) {
    const line = `mkfs.ext4 -q /dev/${device} && mount /dev/${device} /sysroot && echo ${device} > /sysroot/f && umount /sysroot`;
    await shell(appliance, stream, line);
  }
  await shell(
    appliance,
    stream,
    `mount -o ro /dev/${second} /sysroot && grep -q ${second} /sysroot/f && umount /sysroot`,
  );
  await shell(appliance, stream, `dd if=/dev/zero of=/dev/${third} bs=1M count=4 oflag=direct 2>&1`);
  const tools =
    "sfdisk parted sgdisk mkfs.xfs mkfs.btrfs mkfs.vfat mkntfs lvm mdadm cryptsetup blkid strings hexdump isoinfo";
  assert.equal(
    await shell(appliance, stream, `for p in ${tools}; do command -v $p > /dev/null || echo no $p; done`),
    "",
  );
  await shell(
    appliance,
    stream,
    "truncate -s 60M /tmp/d && l=$(losetup -f --show /tmp/d) && pvcreate -q $l && vgcreate -q V $l && lvcreate -q -L 20M -n L V && test -b /dev/V/L && vgremove -qf V",
  );
  assert.deepEqual(
    await readdir(folder),
    ["a, b.img", "b.qcow2", "c.qcow2", "d.vdi"],
    "nothing lies about while it runs",
  );

  await appliance.stop();
  assert.deepEqual(await appliance.exited, { code: 0, signal: null });
  assert.deepEqual(await Promise.all(["b.qcow2", "d.vdi"].map(digest)), before);
  await runOwned("qemu-img", ["check", "-q", path("c.qcow2")]);
  await runOwned("qemu-img", ["convert", "-O", "raw", "c.qcow2", "c.raw"], { cwd: folder });
  await runOwned("e2fsck", ["-fn", path("c.raw")]);
  assert.ok(
    (await readFile(path("a, b.img"))).every((byte) => byte === 0),
    "the backing file was not written",
  );
});

test("QEMU that can't be started, a guest that dies, a caller that gives up", { timeout: 600_000 }, async (t) => {
  const kernelPanic = await failure(startAppliance(options({ append: "rdinit=/nothing", accelerator: "tcg" })));
  assert.equal(kernelPanic.stage, "boot");
  assert.match(kernelPanic.evidence, /Kernel panic/);

  const noQemu = await failure(startAppliance(options({ hv: "/nowhere/qemu" })));
  assert.equal(noQemu.stage, "host");
  assert.match(noQemu.fix, /apt-get install qemu-system-x86/);

  const notQemu = await failure(startAppliance(options({ hv: "/bin/false", accelerator: "tcg" })));
  assert.equal(notQemu.stage, "qemu");
  assert.match(notQemu.message, /exit status 1/);

  const tooMuch = await failure(startAppliance(options({ memsize: 900_000_000, accelerator: "tcg" })));
  assert.equal(tooMuch.stage, "qemu");
  t.diagnostic(tooMuch.message);

  const late = await failure(startAppliance(options({ timeoutMs: 300, accelerator: "tcg" })));
  assert.equal(late.stage, "boot");
  assert.match(late.message, /no greeting .* in 0.3 s/);

  const controller = new AbortController();
  const cancelled = startAppliance(
    options({ signal: controller.signal, onDebug: (line) => line.includes("booting") && controller.abort() }),
  );
  assert.equal((await failure(cancelled)).stage, "cancelled");
});

test("cancelled while another program saves a template, which has not failed by that", async () => {
  const store = join(cacheDir, "appliance");
  const lock = await acquireCacheLock(join(store, "template.lock"), () => undefined);
  try {
    const controller = new AbortController();
    const said: string[] = [];
    const onDebug = (line: string): void => {
      said.push(line);
      if (line.includes("another program that saves a template")) controller.abort(new Error("given up by this test"));
    };
    const cancelled = startAppliance(options({ template: true, signal: controller.signal, onDebug }));
    assert.equal((await failure(cancelled)).stage, "cancelled");
    assert.match(said.at(-1) ?? "", /another program that saves/);
    for (const name of await readdir(store))
      if (name.endsWith(".failed.json")) assert.doesNotMatch(await readFile(join(store, name), "utf8"), /given up/);
  } finally {
    await lock.release();
  }
});

test("drives that QEMU refuses", async () => {
  const drives = [{ filename: path("b.qcow2") }, { filename: path("missing") }];
  assert.match((await failure(startAppliance(options({ drives })))).message, /missing: No such file/);
  const nbd = { filename: "", protocol: "nbd", server: [`unix:${path("no.sock")}`] } as const;
  const error = await failure(startAppliance(options({ drives: [nbd] })));
  assert.equal(error.stage, "drive");
  assert.match(error.message, /no\.sock/);
  const twice = [{ filename: path("b.qcow2") }, { filename: path("b.qcow2") }];
  const locked = await failure(startAppliance(options({ drives: twice })));
  assert.match(locked.message, /lock/);
  assert.match(locked.fix, /read-only/);
  assert.equal(existsSync(path("overlay0.qcow2")), false);
});

test("read-only images that end within a sector, and what lies behind them", { timeout: 600_000 }, async (t) => {
  const odd = await mkdtemp(join(tmpdir(), "launch-test-odd-"));
  t.after(() => rm(odd, { recursive: true }));
  const at = (name: string): string => join(odd, name);
  await writeFile(at("700.img"), Buffer.alloc(700, 1));
  await writeFile(at("1m.img"), Buffer.alloc(1_000_100, 2));
  await runOwned("qemu-img", ["create", "-q", "-f", "qcow2", "-b", "1m.img", "-F", "raw", "over.qcow2"], { cwd: odd });
  await runOwned("qemu-img", ["create", "-q", "-f", "vmdk", "-o", "subformat=monolithicFlat", "flat.vmdk", "1M"], {
    cwd: odd,
  });
  // No more than a header: the tables are holes behind the end.
  await runOwned("qemu-img", ["create", "-q", "-f", "qcow2", "short.qcow2", "0"], { cwd: odd });
  await truncate(at("short.qcow2"), 3 * 65_536 + 108);
  const drives = ["700.img", "1m.img", "over.qcow2", "flat.vmdk", "short.qcow2"].map((name) => ({
    filename: at(name),
    readonly: true,
    allowOtherFiles: true,
  }));
  const appliance = await startAppliance(options({ drives }));
  t.after(() => appliance.kill());
  const stream = bytesOf(appliance);
  await stream.next();
  const tail = async (target: number, byte: number): Promise<number> => {
    const line = `d=/dev/$(ls /sys/bus/scsi/devices/0:0:${target}:0/block) && n=$(blockdev --getsz $d) && dd if=$d bs=512 skip=$((n - 1)) iflag=direct status=none | tr -dc '\\${byte}' | wc -c`;
    return Number(await shell(appliance, stream, line));
  };
  assert.deepEqual(
    [await tail(0, 1), await tail(1, 2), await tail(2, 2)],
    [700 - 512, 1_000_100 % 512, 1_000_100 % 512],
  );
  await appliance.stop();
  assert.deepEqual(await appliance.exited, { code: 0, signal: null });
});
