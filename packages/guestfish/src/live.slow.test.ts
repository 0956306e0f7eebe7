import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startOwnDaemon, startStockDaemon, whyNoStockDaemon } from "@guestfs/testkit";

// libvirt's test driver says that a machine runs; the daemon behind its channel runs here.

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const node = ["--conditions=source", "--import", import.meta.resolve("tsx"), main];

function guestfish(...args: readonly string[]): { output: string; messages: string; status: number | null } {
  const { stdout, stderr, status } = spawnSync(process.execPath, [...node, ...args], { input: "", encoding: "utf8" });
  return { output: stdout, messages: stderr, status };
}

function libvirt(folder: string, devices: string): string {
  const path = join(folder, "node.xml");
  writeFileSync(
    path,
    `<node><domain type='test'><name>guest</name><memory>65536</memory><os><type>hvm</type></os>
      <devices>${devices}</devices></domain></node>`,
  );
  return `test://${path}`;
}

const channel = (path: string): string =>
  `<channel type='unix'><source mode='bind' path='${path}'/><target type='virtio' name='org.libguestfs.channel.0'/></channel>`;

const skip = spawnSync("virsh", ["--version"]).status === 0 ? false : "virsh is not installed";

describe("guestfish --live", { skip }, () => {
  test("commands act in the machine, again and again, with -i as well", async (t) => {
    await using daemon = await startOwnDaemon();
    const folder = mkdtempSync(join(tmpdir(), "guestfish-live-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const live = ["-c", libvirt(folder, channel(daemon.socketPath)), "--live", "-d", "guest"];
    writeFileSync(join(daemon.sysroot, "hello"), "hello\n");
    assert.deepEqual(guestfish(...live, "ls", "/"), { output: "hello\n", messages: "", status: 0 });
    assert.deepEqual(guestfish(...live, "-i", "write", "/new", "text"), { output: "", messages: "", status: 0 });
    assert.equal(readFileSync(join(daemon.sysroot, "new"), "utf8"), "text");
  });

  test("--ro: nothing is changed", async (t) => {
    await using daemon = await startOwnDaemon();
    const folder = mkdtempSync(join(tmpdir(), "guestfish-live-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const live = ["-c", libvirt(folder, channel(daemon.socketPath)), "--live", "--ro", "-d", "guest"];
    const hello = join(daemon.sysroot, "hello");
    writeFileSync(hello, "hello\n");
    const before = statSync(hello, { bigint: true });
    assert.equal(guestfish(...live, "cat", "/hello").output, "hello\n\n");
    const refused = guestfish(...live, "write", "/hello", "other");
    assert.deepEqual([refused.status, refused.output], [1, ""]);
    assert.match(refused.messages, /write: .*read-only/i);
    const after = statSync(hello, { bigint: true });
    assert.deepEqual([after.mtimeNs, after.ctimeNs], [before.mtimeNs, before.ctimeNs]);
  });

  test("--ro with the stock daemon, which can't refuse by itself", { skip: whyNoStockDaemon() ?? false }, async (t) => {
    await using daemon = await startStockDaemon();
    const folder = mkdtempSync(join(tmpdir(), "guestfish-live-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const live = ["-c", libvirt(folder, channel(daemon.socketPath)), "--live", "--ro", "-d", "guest"];
    const { output, messages, status } = guestfish(
      ...live,
      "--",
      "-mkdir",
      "/x",
      ":",
      "exists",
      "/x",
      ":",
      "-sh",
      "true",
    );
    assert.deepEqual([status, output], [0, "false\n"]);
    assert.match(messages, /mkdir: refused: the machine was attached read-only/);
    assert.match(messages, /sh: refused/);
  });

  test("what does not go together", () => {
    for (const [args, message] of [
      [["--live", "echo"], /^guestfish: --live needs exactly one -d/],
      [["--live", "-a", "x.img", "echo"], /needs exactly one -d/],
      [["--live", "-d", "a", "-d", "b", "echo"], /needs exactly one -d/],
      [["--live", "-d", "a", "-m", "/dev/sda1", "echo"], /--live and -m exclude each other/],
    ] as const) {
      const { status, messages } = guestfish(...args);
      assert.equal(status, 1);
      assert.match(messages, message);
    }
  });

  test("-d adds the disks of a machine", (t) => {
    const folder = mkdtempSync(join(tmpdir(), "guestfish-live-"));
    t.after(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, "images"));
    const image = join(folder, "images", "a.img");
    writeFileSync(image, Buffer.alloc(1 << 20));
    const uri = libvirt(folder, `<disk type='file'><source file='${image}'/><target dev='vda'/></disk>`);
    const read = guestfish("-c", uri, "--ro", "-d", "guest", "debug-drives");
    assert.deepEqual([read.status, read.messages], [0, ""]);
    assert.ok(read.output.startsWith(`${image} readonly=true`), read.output);
    const written = guestfish("-c", uri, "-d", "guest", "debug-drives");
    assert.equal(written.status, 1);
    assert.match(written.messages, /libguestfs: error: add_domain: the machine guest runs, and writing to its disks/);
    assert.match(guestfish("-c", uri, "-d", "other", "echo").messages, /has no domain "other"; it has guest$/m);
  });
});
