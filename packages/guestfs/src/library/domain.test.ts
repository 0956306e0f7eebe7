import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { Guestfs } from "../index.ts";

// libvirt's own test driver runs inside virsh and takes its domains from a file.
const noVirsh = spawnSync("virsh", ["--version"]).status === 0 ? false : "virsh is not installed";
const folder = mkdtempSync(join(tmpdir(), "domain-test-"));
after(() => rmSync(folder, { recursive: true }));

const uuid = "11111111-2222-3333-4444-555555555555";
const image = join(folder, "a & 'b'.img");
const other = join(folder, "other.img");
const socket = join(folder, "channel.sock");
for (const path of [image, other]) writeFileSync(path, Buffer.alloc(1 << 20));

function xml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("'", "&apos;");
}

/** @param state - libvirt's number: 1 running, 3 paused, 5 shut off */
function domain(name: string, state: number, devices: string, more = ""): string {
  return `<domain type='test' xmlns:t='http://libvirt.org/schemas/domain/test/1.0'><name>${xml(name)}</name>${more}
    <memory>65536</memory><os><type>hvm</type></os><devices>${devices}</devices><t:runstate>${state}</t:runstate></domain>`;
}

const fileDisk = `<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${xml(image)}'/>
  <target dev='vda' bus='virtio'/><serial>disk-1</serial></disk>`;
const lockedDisk = `<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='${xml(other)}'/>
  <target dev='hdc' bus='ide'/><readonly/></disk>`;
const emptyDrive = `<disk type='file' device='cdrom'><target dev='hdd' bus='ide'/><readonly/></disk>`;
const remoteDisks = `
  <disk type='network'><driver name='qemu' type='raw'/><source protocol='nbd' name='export'>
    <host name='::1' port='10810'/></source><target dev='vda'/></disk>
  <disk type='network'><source protocol='nbd'><host transport='unix' socket='/run/nbd.sock'/></source><target dev='vdb'/></disk>
  <disk type='network'><driver type='raw'/><source protocol='rbd' name='pool/image'><host name='a' port='6789'/><host name='b'/></source><target dev='vdc'/></disk>
  <disk type='network'><driver type='raw'/><source protocol='iscsi' name='iqn.2013-07.com.example:x/1'><host name='c' port='3260'/></source><target dev='vdd'/></disk>
  <disk type='network'><driver type='raw'/><source protocol='https' name='a/b.img' query='x=1&amp;y=2'><host name='d' port='443'/></source><target dev='vde'/></disk>
  <disk type='network'><driver type='raw'/><source protocol='gluster' name='vol/x.img'><host name='e' port='24007'/></source><target dev='vdf'/></disk>
  <disk type='network'><driver type='raw'/><source protocol='ssh' name='/x.img'><host name='f' port='22'/></source><target dev='vdg'/></disk>`;
const channel = (number: number, source = ""): string =>
  `<channel type='unix'>${source}<target type='virtio' name='org.libguestfs.channel.${number}'/></channel>`;

let files = 0;

/** Makes a connection of libvirt's with these domains. */
function libvirt(...domains: readonly string[]): string {
  const path = join(folder, `node${files++}.xml`);
  writeFileSync(path, `<node>${domains.join("")}</node>`);
  return `test://${path}`;
}

function program(text: string): { readonly path: string } {
  const path = join(folder, `bin${files++}`);
  mkdirSync(path);
  writeFileSync(join(path, "virsh"), `#!/bin/sh\n${text}\n`);
  chmodSync(join(path, "virsh"), 0o755);
  return { path };
}

async function withPath(path: string, work: () => Promise<void>): Promise<void> {
  const before = process.env["PATH"];
  process.env["PATH"] = path;
  try {
    await work();
  } finally {
    process.env["PATH"] = before;
  }
}

async function failure(work: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(work, (error: Error & { code?: string; procedure?: string }) => {
    assert.match(error.message, message);
    assert.deepEqual([error.code, error.procedure], ["LOCAL", "add_domain"]);
    return true;
  });
}

describe("add_domain", { skip: noVirsh }, () => {
  const handle = (): Guestfs => new Guestfs({ environment: false });

  test("disks of a machine that is off, with their formats, serials and flags", async () => {
    await using g = handle();
    const libvirturi = libvirt(domain("it's <off>", 5, fileDisk + lockedDisk + emptyDrive));
    assert.equal(await g.addDomain("it's <off>", { libvirturi }), 2);
    assert.deepEqual(g.debugDrives(), [
      `${image} readonly=false format=raw name=vda protocol=file label=disk-1`,
      `${other} readonly=false format=raw name=hdc protocol=file`,
    ]);
  });

  test("two disks with one serial are both added; the label is the first one's", async () => {
    await using g = handle();
    const twin = fileDisk.replace(xml(image), xml(other)).replace("'vda'", "'vdb'");
    assert.equal(await g.addDomain("off", { libvirturi: libvirt(domain("off", 5, fileDisk + twin)) }), 2);
    assert.deepEqual(
      g.debugDrives().map((line) => / label=(.*)/.exec(line)?.[1]),
      ["disk-1", undefined],
    );
  });

  test("what happens to read-only disks", async () => {
    const libvirturi = libvirt(domain("off", 5, fileDisk + lockedDisk));
    const flags = async (options: object): Promise<string[]> => {
      await using g = handle();
      await g.addDomain("off", { libvirturi, ...options });
      return g.debugDrives().map((line) => String(/readonly=(\w+)/.exec(line)?.[1]));
    };
    assert.deepEqual(await flags({}), ["false", "false"]);
    assert.deepEqual(await flags({ readonlydisk: "write" }), ["false", "false"]);
    assert.deepEqual(await flags({ readonlydisk: "read" }), ["false", "true"]);
    assert.deepEqual(await flags({ readonlydisk: "ignore" }), ["false"]);
    assert.deepEqual(await flags({ readonlydisk: "error", readonly: true }), ["true", "true"]);
    await failure(flags({ readonlydisk: "error" }), /other\.img of off is read-only \(readonlydisk: error\)/);
    await assert.rejects(
      flags({ readonlydisk: "no" }),
      /^RangeError: add_domain: readonlydisk: "no" is none of error, /,
    );
  });

  test("options are passed on to every disk", async () => {
    await using g = handle();
    const libvirturi = libvirt(domain("off", 5, fileDisk));
    await g.addDomain("off", {
      libvirturi,
      cachemode: "unsafe",
      discard: "besteffort",
      copyonread: true,
      iface: "ide",
    });
    assert.match(g.debugDrives()[0] ?? "", /iface=ide .*cachemode=unsafe discard=besteffort copyonread=true/);
  });

  test("disks on the network", async () => {
    await using g = handle();
    assert.equal(await g.addDomain("off", { libvirturi: libvirt(domain("off", 5, remoteDisks)), readonly: true }), 7);
    assert.deepEqual(
      g.debugDrives().map((line) => line.replace(/ (?:readonly|name|format)=\S+/g, "")),
      [
        "export protocol=nbd server=[::1]:10810",
        " protocol=nbd server=unix:/run/nbd.sock",
        "pool/image protocol=rbd server=a:6789,b",
        "iqn.2013-07.com.example:x/1 protocol=iscsi server=c:3260",
        "/a/b.img?x=1&y=2 protocol=https server=d:443",
        "vol/x.img protocol=gluster server=e:24007",
        "/x.img protocol=ssh server=f:22",
      ],
    );
  });

  test("a disk that is missing: none is added", async () => {
    await using g = handle();
    const gone = `<disk type='file'><source file='/nonexistent/x.img'/><target dev='vdb'/></disk>`;
    await failure(
      g.addDomain("off", { libvirturi: libvirt(domain("off", 5, fileDisk + gone)) }),
      /\/nonexistent\/x\.img: No such file or directory/,
    );
    assert.deepEqual(g.debugDrives(), []);
  });

  test("names, numbers and UUIDs", async () => {
    await using g = handle();
    const libvirturi = libvirt(
      domain("off", 5, fileDisk, `<uuid>${uuid}</uuid>`),
      domain("running", 1, ""),
      domain("running2", 1, ""),
      // The number of one of those that run.
      domain("1", 5, fileDisk, `<uuid>${uuid.replaceAll("1", "6")}</uuid>`),
    );
    await failure(g.addDomain(uuid, { libvirturi }), /has no domain "11111111-.*"; it has /);
    assert.equal(await g.addDomain(uuid, { libvirturi, allowuuid: true, readonly: true }), 1);
    assert.equal(await g.addDomain("1", { libvirturi, readonly: true }), 1);
    await failure(g.addDomain("2", { libvirturi }), /has no domain "2"; it has .*running/);
    await failure(g.addDomain("", { libvirturi }), /has no domain ""/);
    await failure(g.addDomain("--help", { libvirturi }), /has no domain "--help"/);
  });

  test("a running machine's disks are not written to", async () => {
    await using g = handle();
    const libvirturi = libvirt(domain("on", 1, fileDisk));
    await failure(
      g.addDomain("on", { libvirturi }),
      /on runs, and writing to its disks .*: use it live, or only to read/,
    );
    assert.equal(await g.addDomain("on", { libvirturi, readonly: true }), 1);
  });

  test("live: the channel's socket is where the daemon is", async () => {
    await using g = handle();
    const source = (path: string): string => `<source mode='bind' path='${path}'/>`;
    const channels = channel(1, source(`${socket}.1`)) + channel(0, source(socket));
    assert.equal(await g.addDomain("on", { libvirturi: libvirt(domain("on", 1, fileDisk + channels)), live: true }), 0);
    assert.deepEqual([g.getBackend(), g.debugDrives()], [`unix:${socket}`, []]);
  });

  test("live, but off: its disks", async () => {
    await using g = handle();
    const libvirturi = libvirt(domain("off", 5, fileDisk + channel(0)));
    assert.equal(await g.addDomain("off", { libvirturi, live: true }), 1);
    assert.equal(g.getBackend(), "direct");
  });

  test("live without a channel: the XML and the commands", async () => {
    await using g = handle();
    const agent = `<channel type='unix'><source mode='bind' path='/x'/><target type='virtio' name='org.qemu.guest_agent.0'/></channel>`;
    const libvirturi = libvirt(domain("on", 1, agent));
    await failure(
      g.addDomain("on", { libvirturi, live: true }),
      /runs and has no channel for guestfsd.*<channel type='unix'>\n.*org\.libguestfs\.channel\.0.*<\/channel>.*guestfs-live -c test:\S+ enable on\n.*virsh -c test:\S+ attach-device on channel\.xml --live --config/s,
    );
    await failure(
      g.addDomain("on", { libvirturi: libvirt(domain("on", 1, channel(0))), live: true }),
      /libvirt gives no socket of this host for it/,
    );
  });

  test("live, and shut off or never really there since", async () => {
    await using g = handle();
    const source = `<source mode='bind' path='${socket}'/>`;
    const libvirturi = libvirt(domain("on", 1, channel(0, source)));
    await g.addDomain("on", { libvirturi, live: true });
    writeFileSync(libvirturi.slice("test://".length), `<node>${domain("on", 5, channel(0, source))}</node>`);
    await assert.rejects(g.launch(), /^LaunchError: launch: the machine on is gone: libvirt no longer knows it/);
  });

  test("no virsh, no libvirt, no such domain, no XML, no answer at all", async () => {
    await using g = handle();
    const add = (): Promise<number> => g.addDomain("x", { libvirturi: "test:///default" });
    await withPath(join(folder, "nothing"), () =>
      failure(add(), /virsh.*is not installed\nTo fix it: apt install libvirt-clients/),
    );
    await failure(
      g.addDomain("x", { libvirturi: "qemu+unix:///session?socket=/nonexistent" }),
      /^add_domain: libvirt \(qemu\+unix:.*\) can't be reached: .*nonexistent.*\nTo fix it: start it/,
    );
    await failure(g.addDomain("x", { libvirturi: "test:///default" }), /has no domain "x"; it has test$/);
    for (const [text, message] of [
      ["<domain><name>x", /description of x can't be read: line 1/],
      ["<html/>", /its root is html, not domain/],
      ["", /can't be read/],
      ["<!DOCTYPE d [<!ENTITY a 'b'>]><domain><name>x</name></domain>", /it has a DOCTYPE/],
      ["<domain id='1'/>", /the domain has no name/],
    ] as const) {
      const { path } = program(`cat <<'END'\n${text}\nEND`);
      await withPath(`${path}:/bin:/usr/bin`, () => failure(add(), message));
    }
    const { path } = program("echo 'error: something new' >&2; exit 1");
    await withPath(`${path}:/bin:/usr/bin`, () => failure(add(), /libvirt \(test:.*\): something new/));
    const flood = program("exec yes");
    await withPath(`${flood.path}:/bin:/usr/bin`, () => failure(add(), /maxBuffer/));
  });

  test("entities are those of XML, and no others", async () => {
    await using g = handle();
    const { path } = program(
      `cat <<'END'\n<domain><name>x</name><devices><disk type='file'><source file='/&lol;&#65;&#x42;&amp;'/></disk></devices></domain>\nEND`,
    );
    await withPath(`${path}:/bin:/usr/bin`, () => failure(g.addDomain("x"), /\/&lol;AB&: No such file/));
  });

  test("only before launch, and it can be stopped", async () => {
    await using g = handle();
    const { path } = program("exec sleep 60");
    await withPath(`${path}:/bin:/usr/bin`, async () => {
      await assert.rejects(g.addDomain("x", { signal: AbortSignal.timeout(50) }), { name: "AbortError" });
    });
    await assert.rejects(
      g.addLibvirtDom(0n),
      /^UnsupportedError: add_libvirt_dom: .*give the domain's name to add_domain/,
    );
  });
});
