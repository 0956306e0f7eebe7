import assert from "node:assert/strict";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { after, before, test } from "node:test";
import { QmpClient, runOwned } from "@guestfs/qemu";
import { ApplianceError } from "./appliance-error.ts";
import { attachDrives, prepareDrives } from "./attach-drives.ts";

type Command = {
  execute: string;
  id: number;
  arguments?: { aio?: string; file?: { aio?: string } } & Record<string, unknown>;
};

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "guestfs-attach-"));
  await writeFile(join(folder, "disk.img"), Buffer.alloc(65_536));
});
after(() => rm(folder, { recursive: true, force: true }));

/** A QEMU that refuses some nodes, with its own words, and takes all else: where a real one has io_uring it can't be made to refuse it. */
async function refusing(
  words: string,
  refused: (node: Command) => boolean,
  { silent = false } = {},
): Promise<{ qmp: QmpClient; nodes: Command[]; all: Command[] }> {
  const nodes: Command[] = [];
  const all: Command[] = [];
  const answer = (command: Command): Record<string, unknown> => {
    if (command.execute === "blockdev-add") {
      nodes.push(command);
      if (refused(command)) return { error: { class: "GenericError", desc: words } };
    }
    const image = { "virtual-size": 65_536 };
    return { return: command.execute === "query-named-block-nodes" ? [{ "node-name": "image0", image }] : {} };
  };
  const stream = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().trimEnd().split("\n")) {
        const command = JSON.parse(line) as Command;
        all.push(command);
        if (silent && command.execute === "blockdev-add") continue;
        stream.push(`${JSON.stringify({ ...answer(command), id: command.id })}\n`);
      }
      done();
    },
  });
  stream.push('{"QMP": {"version": {}, "capabilities": []}}\n');
  return { qmp: await QmpClient.connect(stream, { timeoutMs: silent ? 200 : 30_000 }), nodes, all };
}

const rings = (nodes: readonly Command[]): unknown[] => nodes.map(({ arguments: node }) => node?.file?.aio);

test("what is only read is read through io_uring, and without it where QEMU can't", async () => {
  const drives = await prepareDrives([{ filename: join(folder, "disk.img"), format: "raw", readonly: true }]);
  for (const words of [
    "Unable to use io_uring: failed to init linux io_uring ring: Operation not permitted",
    "Parameter 'aio' does not accept value 'io_uring'",
  ]) {
    const { qmp, nodes } = await refusing(words, ({ arguments: node }) => node?.file?.aio === "io_uring");
    await attachDrives(qmp, drives, folder);
    assert.deepEqual(rings(nodes), ["io_uring", undefined, undefined], words);
    qmp.close();
  }
});

test("a file that ends within a sector is read without io_uring, whatever lies over or under it", async () => {
  await writeFile(join(folder, "odd.img"), Buffer.alloc(700));
  const over = ["create", "-q", "-f", "qcow2", "-b", "odd.img", "-F", "raw", "over.qcow2"];
  await runOwned("qemu-img", over, { cwd: folder });
  await truncate(join(folder, "over.qcow2"), 2 ** 20);
  await runOwned("qemu-img", ["create", "-q", "-f", "vmdk", "-o", "subformat=monolithicFlat", "flat.vmdk", "1M"], {
    cwd: folder,
  });
  const { qmp, nodes } = await refusing("", () => false);
  for (const filename of ["odd.img", "over.qcow2", "flat.vmdk"]) {
    const drive = { filename: join(folder, filename), readonly: true, allowOtherFiles: true };
    await attachDrives(qmp, await prepareDrives([drive]), folder);
  }
  const images = nodes.filter(({ arguments: node }) => node?.["node-name"] === "image0");
  assert.deepEqual(rings(images), [undefined, "io_uring", undefined]);
  assert.doesNotMatch(JSON.stringify(images[1]?.arguments?.["backing"]), /io_uring/);
  qmp.close();
});

test("whatever goes wrong with a drive names it; without room for its overlay, the folder is named", async () => {
  const filename = join(folder, "disk.img");
  const thrown = async (attached: Promise<void>): Promise<ApplianceError> => {
    const error = await attached.then(
      () => assert.fail("attached"),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof ApplianceError, String(error));
    return error;
  };
  const silent = await refusing("", () => false, { silent: true });
  const late = await thrown(attachDrives(silent.qmp, await prepareDrives([{ filename }]), folder));
  assert.deepEqual([late.stage, late.message.includes(filename)], ["drive", true]);
  silent.qmp.close();

  const { qmp } = await refusing("", () => false);
  const nbd = { filename: "export", protocol: "nbd", server: ["a:b:c"] } as const;
  const wrong = await thrown(attachDrives(qmp, await prepareDrives([nbd]), folder));
  assert.deepEqual([wrong.stage, wrong.message.startsWith("export: server: a:b:c is neither")], ["drive", true]);
  const drives = await prepareDrives([{ filename, readonly: true }]);
  const noFolder = await thrown(attachDrives(qmp, drives, join(folder, "missing")));
  assert.deepEqual([noFolder.stage, /missing\n.*ENOENT/.test(noFolder.message)], ["host", true]);
  qmp.close();
});

test("another refusal is told, and a drive that is written to has no ring", async () => {
  const drives = await prepareDrives([{ filename: join(folder, "disk.img"), format: "raw" }]);
  const { qmp, nodes } = await refusing("Could not open 'disk.img'", () => true);
  await assert.rejects(attachDrives(qmp, drives, folder), (error) => {
    assert.ok(error instanceof ApplianceError);
    assert.match(error.message, /Could not open/);
    return true;
  });
  assert.deepEqual(rings(nodes), [undefined]);
  qmp.close();
});

test("a secret is with QEMU only while the drive is opened, or can't be", async () => {
  const server = { protocol: "iscsi", server: ["192.0.2.1"], username: "me", secret: "hush" } as const;
  const drives = await prepareDrives([{ filename: "iqn.2026-01.example:disk", format: "raw", ...server }]);
  for (const fails of [false, true]) {
    const { qmp, all } = await refusing("no route", () => fails);
    const attached = attachDrives(qmp, drives, folder);
    await (fails ? assert.rejects(attached, /no route/) : attached);
    const ids = all.map(({ execute, arguments: given }) =>
      [execute, ...(typeof given?.["id"] === "string" ? [given["id"]] : [])].join(" "),
    );
    assert.deepEqual(ids.slice(1, 4), ["object-add secret0", "blockdev-add", "object-del secret0"]);
    qmp.close();
  }
});

test("an image over a network that could name files of this host is allowed or refused", async () => {
  const drive = { filename: "/disk", protocol: "nbd", server: ["192.0.2.1"] } as const;
  for (const format of ["qcow2", "vmdk"]) {
    await assert.rejects(prepareDrives([{ ...drive, format }]), /could name a file of this host[^]*allow_other_files/);
    await prepareDrives([{ ...drive, format, allowOtherFiles: true }]);
  }
  await prepareDrives([drive, { ...drive, format: "raw" }, { ...drive, format: "vdi" }]);
});
