// Augeas, the registry, YARA and RPM's database: our daemon on a folder, through the library.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Guestfs, RemoteError } from "guestfs";
import { minimalHive, startOwnDaemon } from "@guestfs/testkit";
import type { OwnDaemon } from "@guestfs/testkit";

// These libraries know no root folder of their own, so the daemon gives them another one.
const root = { skip: process.geteuid?.() !== 0 && "only root can change the root folder" };

const utf16 = (text: string): Uint8Array => new Uint8Array(Buffer.from(`${text}\0`, "utf16le"));

describe("a guest's configuration", () => {
  const g = new Guestfs();
  let daemon: OwnDaemon;
  const inGuest = (...path: string[]): string => join(daemon.sysroot, ...path);

  before(async () => {
    daemon = await startOwnDaemon();
    mkdirSync(inGuest("etc"));
    g.setBackend(`unix:${daemon.socketPath}`);
    await g.launch();
  });
  after(async () => {
    await g.close();
    await daemon.stop();
  });

  test("Augeas reads and writes files in the guest", root, async () => {
    writeFileSync(inGuest("etc/hosts"), "127.0.0.1 localhost\n");
    await g.augInit("/", 0);
    assert.deepEqual(await g.augLs("/files/etc/hosts/1"), [
      "/files/etc/hosts/1/canonical",
      "/files/etc/hosts/1/ipaddr",
    ]);
    await g.augInsert("/files/etc/hosts/1", "2", false);
    await g.augSet("/files/etc/hosts/2/ipaddr", "10.0.0.1");
    await g.augSet("/files/etc/hosts/2/canonical", "ten");
    assert.equal(await g.augLabel("/files/etc/hosts/*[last()]"), "2");
    assert.deepEqual(await g.augDefnode("alias", "/files/etc/hosts/2/alias", "zehn"), { i: 1, b: 1 });
    await g.augSave();
    assert.equal(readFileSync(inGuest("etc/hosts"), "utf8"), "127.0.0.1 localhost\n10.0.0.1\tten zehn\n");
    await assert.rejects(g.augGet("/files/etc/hosts/*/ipaddr"), /2 nodes/);
    await assert.rejects(g.augGet("/none"), RemoteError);
    await g.augClose();
    await assert.rejects(g.augGet("/files"), /aug-init/);
  });

  test("Augeas reads one lens alone when told so", root, async () => {
    writeFileSync(inGuest("etc/hosts"), "127.0.0.1 localhost\n");
    writeFileSync(inGuest("etc/host.conf"), "multi on\n");
    await g.augInit("/", 64);
    assert.deepEqual(await g.augMatch("/augeas/load/*"), []);
    await g.augTransform("Hosts.lns", "/etc/hosts");
    await g.augTransform("Json.lns", "/etc/host.conf");
    await g.augLoad();
    assert.deepEqual(await g.augMatch("/files/etc/*"), ["/files/etc/hosts"]);
    assert.deepEqual(await g.augMatch("/augeas/trial | /augeas/text/*"), []);
    await g.augSet("/files/etc/hosts/1/canonical", "here");
    await g.augSave();
    assert.equal(readFileSync(inGuest("etc/hosts"), "utf8"), "127.0.0.1 here\n");
    await g.augClose();
  });

  test("Augeas takes no lens from the guest", root, async () => {
    const lenses = inGuest("usr/share/augeas/lenses");
    mkdirSync(lenses, { recursive: true });
    writeFileSync(join(lenses, "guest.aug"), 'module Guest =\n  let lns = [ label "guest" . del /[^\\n]*\\n/ "" ]*\n');
    for (const flags of [0, 64]) {
      await g.augInit("/", flags);
      await g.augTransform("Guest.lns", "/etc/hosts");
      await assert.rejects(g.augLoad(), /Guest\.lns/);
      assert.deepEqual(await g.augMatch("/files/etc/hosts/guest"), []);
      await g.augClose();
    }
  });

  test("Augeas does not follow a guest's symlinks out of it", root, async () => {
    symlinkSync("/etc/group", inGuest("etc/group"));
    symlinkSync("../../../../../../../../../etc/fstab", inGuest("etc/fstab"));
    symlinkSync("/proc/self/root/etc/shells", inGuest("etc/shells"));
    symlinkSync("services", inGuest("etc/services"));
    symlinkSync("/etc/passwd.real", inGuest("etc/passwd"));
    writeFileSync(inGuest("etc/passwd.real"), "guest:x:1:1:a guest:/:/bin/sh\n");
    await g.augInit("/", 0);
    assert.deepEqual(await g.augMatch("/files/etc/group"), []);
    assert.deepEqual(await g.augMatch("/files/etc/shells"), []);
    assert.deepEqual(await g.augMatch("/files/etc/services"), []);
    assert.deepEqual(await g.augMatch("/files/etc/passwd/*"), ["/files/etc/passwd/guest"]);
    await g.augClose();
  });

  test("a hive is changed and read again", async () => {
    writeFileSync(inGuest("hive"), minimalHive());
    await g.hivexOpen("/hive", { write: true });
    const root = await g.hivexRoot();
    assert.equal(await g.hivexNodeName(root), "ROOT");
    const child = await g.hivexNodeAddChild(root, "Größe");
    await g.hivexNodeSetValue(child, "wert", 1, utf16("süß"));
    await g.hivexCommit(null);
    await g.hivexCommit("/copy");
    await g.hivexClose();
    for (const path of ["/hive", "/copy"]) {
      await g.hivexOpen(path);
      const node = await g.hivexNodeGetChild(await g.hivexRoot(), "größe");
      const value = await g.hivexNodeGetValue(node, "WERT");
      assert.equal(await g.hivexValueKey(value), "wert");
      assert.equal(await g.hivexValueType(value), 1);
      assert.equal(await g.hivexValueString(value), "süß");
      assert.deepEqual(Buffer.from(await g.hivexValueValue(value)), Buffer.from(utf16("süß")));
      assert.equal(await g.hivexNodeGetChild(node, "none"), 0);
      await g.hivexClose();
    }
    await assert.rejects(g.hivexRoot(), /hivex-open/);
  });

  test("what is no hive, or a broken one, is refused", async () => {
    writeFileSync(inGuest("no-hive"), "regf but nothing more");
    await assert.rejects(g.hivexOpen("/no-hive"), RemoteError);
    const broken = minimalHive();
    broken.fill(0xff, 0x1020, 0x1080);
    writeFileSync(inGuest("broken"), broken);
    await assert.rejects(g.hivexOpen("/broken"), /broken/);
    symlinkSync("/proc/self/exe", inGuest("exe"));
    await assert.rejects(g.hivexOpen("/exe"), RemoteError);
    writeFileSync(inGuest("hive2"), minimalHive());
    await g.hivexOpen("/hive2");
    await assert.rejects(g.hivexNodeName(12_345), RemoteError);
    await assert.rejects(g.hivexValueValue(2 ** 40), RemoteError);
    await g.hivexClose();
  });

  test("YARA's rules find what they look for, and read nothing of the daemon's side", async () => {
    assert.ok(await g.featureAvailable(["libyara"]));
    const rules = (text: string): Uint8Array => new TextEncoder().encode(text);
    writeFileSync(inGuest("sample"), "some evil bytes");
    await g.yaraLoad(rules('rule Evil { strings: $a = "evil" condition: $a }\nrule Never { condition: false }'));
    assert.deepEqual(await g.yaraScan("/sample"), [{ yara_name: "/sample", yara_rule: "Evil" }]);
    await assert.rejects(g.yaraLoad(rules('include "/etc/passwd"')), /includes are disabled/);
    await assert.rejects(g.yaraScan("/sample"), RemoteError);
    await assert.rejects(g.yaraDestroy(), RemoteError);
  });

  test("the journal of a folder without one is empty", root, async () => {
    assert.ok(await g.featureAvailable(["journal"]));
    mkdirSync(inGuest("var/log/journal"), { recursive: true });
    symlinkSync("/var/log/journal", inGuest("var/log/journal/out"));
    await g.journalOpen("/var/log/journal");
    assert.equal(await g.journalNext(), false);
    assert.equal(await g.journalSkip(5), 0);
    await g.journalSetDataThreshold(100);
    assert.equal(await g.journalGetDataThreshold(), 100);
    await g.journalClose();
    await assert.rejects(g.journalNext(), /journal-open/);
  });
});
