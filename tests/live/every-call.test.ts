// Every call of the daemon, made in a running machine (`-r`) whose policy allows all: an answer that belongs to it, and a
// conversation that goes on. What a call does to the machine is nobody's concern here.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { encodeChunk } from "@guestfs/protocol";
import { camelCase, effects, procedures } from "@guestfs/schema";
import type { Procedure } from "@guestfs/schema";
import { RawClient, ReplyError, startLiveMachine, whyNoLiveMachine } from "@guestfs/testkit";
import type { LiveMachine } from "@guestfs/testkit";

const reason = whyNoLiveMachine();
if (reason !== undefined) console.log(`skipped: ${reason}`);

const unit = "guestfsd-live@org.libguestfs.channel.0";
const scratch = "/root/scratch";
// Ends the conversation, as it should; it comes last.
const last = "internal_exit";
// Long enough for anything that is not stuck.
const patience = 120_000;

const texts: Readonly<Record<string, string>> = {
  acl: "u::rwx,g::r-x,o::r-x",
  acltype: "access",
  attrs: "i",
  augpath: "/files/etc/hostname",
  base: "/files",
  cap: "cap_chown=p",
  csumtype: "md5",
  ctype: "gzip",
  directory: `${scratch}/folder`,
  command: "true",
  diskgroup: "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
  encoding: "s",
  exemptpath: `${scratch}/point`,
  expr: "/files/etc/hostname",
  filesystem: "ext4",
  filename: "init",
  fstype: "ext2",
  group: "lvm2",
  lens: "Hosts.lns",
  lvname: "/dev/mapper/VG-LV",
  meth: "gzip",
  modulename: "loop",
  mountpoint: `${scratch}/folder`,
  options: "ro",
  parttype: "mbr",
  path: "/file",
  prlogex: "p",
  remote: "/nowhere/",
  subcmd: "help",
  vfstype: "ext2",
  uuid: "5c2f11b2-ed85-4e4c-99ad-4fd737e3b828",
};
const numbers: Readonly<Record<string, number>> = {
  mode: 0o644,
  nr: 10,
  len: 4096,
  n: 4096,
  size: 4096,
  secs: 0,
  count: 1000,
};

/** Arguments that mean something in the machine; devices are a loop device. */
function argumentsOf(row: Procedure): Record<string, unknown> {
  const text = (name: string, of: string | undefined): string => {
    if (of === "device" || of === "mountable") return "/dev/loop0";
    if (of === "guid") return "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
    if (of === "key") return "secret";
    if (of === "filename") return "new";
    if (of === "plain") return texts[name] ?? "x";
    if (/^new|dest|linkname|tmpl/.test(name)) return `${scratch}/new-XXXXXX`;
    return /dir|^root|mountpoint|^path$/.test(name) &&
      /find|readdir|ls|walk|du|tar|cpio|mount|statvfs|list|fill/.test(row.name)
      ? `${scratch}/folder`
      : `${scratch}/file`;
  };
  const value = ({ name, type, of }: Procedure["params"][number]): unknown => {
    if (type === "bool") return false;
    if (type === "int" || type === "int64") return numbers[name] ?? 1;
    if (type === "buffer") return new Uint8Array(4);
    if (type === "string-list") return name === "arguments" ? ["true"] : [text(name, of)];
    return text(name, of);
  };
  return Object.fromEntries(
    row.params
      .filter(({ of }) => of !== "file-in" && of !== "file-out")
      .map((parameter) => [camelCase(parameter.name), value(parameter)]),
  );
}

/** Fails when something takes too long. */
async function bounded<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: no answer in ${patience / 1000} s`)), patience);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

describe("every call in a running machine", { skip: reason ?? false }, () => {
  let machine: LiveMachine;
  let client: RawClient;
  let serial = 0x7000;

  before(async () => {
    machine = await startLiveMachine({ daemon: "own" });
    await machine.run(`modprobe loop; dd if=/dev/zero of=/root/disk bs=1M count=16 status=none; losetup /dev/loop0 /root/disk
      echo '{"calls": {"allow": ["*"]}}' > /etc/guestfsd/policy.json
      cat > /root/again <<'END'
umount -R -l ${scratch} 2>/dev/null; mkdir -p ${scratch}; mount -t tmpfs -o size=8m none ${scratch}; cd ${scratch}
mkdir folder; echo text > folder/inner; echo text > file; ln -s file link
END
      sh /root/again`);
    client = await RawClient.connect(await machine.channelPath());
  });
  after(async () => {
    client?.close();
    await machine?.stop();
  });

  /** Makes a call; its answer, in a word. */
  async function answer(row: Procedure): Promise<"result" | "error" | "missing"> {
    const sent = ++serial;
    client.send(client.encodeCall(row.name, argumentsOf(row), { serial: sent }));
    if (row.params.some(({ of }) => of === "file-in")) {
      client.send(encodeChunk({ type: "data", data: new Uint8Array(100) }));
      client.send(encodeChunk({ type: "end" }));
    }
    const gives = row.params.some(({ of }) => of === "file-out");
    try {
      const { header } = await client.reply(row.name);
      assert.deepEqual([header.procedure, header.serial], [row.proc, sent], row.name);
      if (gives)
        await client.receiveFile().catch((error: unknown) => assert.match(String(error), /broke the file off/));
      return "result";
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      assert.deepEqual([error.header.procedure, error.header.serial], [row.proc, sent], row.name);
      assert.notEqual(error.message, "", row.name);
      assert.doesNotMatch(error.message, /unknown procedure|internal error|undefined|\[object/i, row.name);
      // Of an optional group, what it needs may not be installed there.
      return error.errno === "ENOTSUP" && row.group !== undefined ? "missing" : "error";
    }
  }

  it("answers each of them", { timeout: 1_800_000 }, async (t) => {
    const pid = await machine.run(`systemctl show -P MainPID ${unit}`);
    const rows = procedures.filter(({ proc, name }) => proc !== undefined && name !== last);
    assert.ok(rows.length > 500);
    const counts = { result: 0, error: 0, missing: 0 };
    const ping = rows.find(({ name }) => name === "ping_daemon") as Procedure;
    for (const row of rows) {
      counts[await bounded(row.name, answer(row))]++;
      if (row.name === "extension_freeze") await bounded("thaw", client.call("extension_thaw"));
      // What it has, it may no longer have.
      if (effects.get(row.name) !== "none")
        await client.call("sh", { command: "sh /root/again" }).catch(() => undefined);
      assert.equal(await bounded(`after ${row.name}`, answer(ping)), "result", `after ${row.name}`);
    }
    t.diagnostic(`${rows.length} calls: ${JSON.stringify(counts)}`);
    assert.equal(await machine.run(`systemctl show -P MainPID ${unit}`), pid);
  });

  it("ends when it is asked to, and is started again", { timeout: 120_000 }, async () => {
    const row = procedures.find(({ name }) => name === last) as Procedure;
    const pid = (): Promise<string> => machine.run(`systemctl show -P MainPID ${unit}`);
    const before = await pid();
    // The host's end is QEMU's, and stays open.
    assert.equal(await bounded(last, answer(row)), "result");
    for (let now = before; now === before || now === "0\n"; now = await pid()) await delay(200);
    await machine.waitForChannel("connected");
    client.close();
    client = await bounded("a new client", RawClient.connect(await machine.channelPath()));
    assert.equal(await client.call("exists", { path: "/etc/hostname" }), true);
  });
});
