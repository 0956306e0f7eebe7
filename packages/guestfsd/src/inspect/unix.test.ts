import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { DaemonState } from "../daemon-state.ts";
import { Sysroot } from "../sysroot.ts";
import { DeviceFinder } from "./device-finder.ts";
import { GuestReader } from "./guest-reader.ts";
import type { OperatingSystem } from "./operating-system.ts";
import { unixRole } from "./unix.ts";

const options = { sysroot: "/", live: false, network: false, verbose: false, appliance: true };
// Nothing here is looked up on a drive.
const finder = new DeviceFinder({ state: new DaemonState(options, 8192) } as never);

/** Lays files out in a folder: a text is a file, `->` begins a symlink, null is a folder. */
function withGuest<T>(
  files: Readonly<Record<string, string | null>>,
  use: (reader: GuestReader, folder: string) => T,
): T {
  const folder = mkdtempSync(join(tmpdir(), "guest-"));
  try {
    for (const [path, content] of Object.entries(files)) {
      const place = join(folder, path);
      mkdirSync(content === null ? place : dirname(place), { recursive: true });
      if (content?.startsWith("->")) symlinkSync(content.slice(2), place);
      else if (content !== null) writeFileSync(place, content);
    }
    return use(new GuestReader(new Sysroot(folder)), folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function systemOf(files: Readonly<Record<string, string | null>>): OperatingSystem {
  return withGuest(files, (reader) => {
    const role = unixRole(reader, finder, "/dev/sda1");
    assert.equal(role?.kind, "root");
    return (role as { system: OperatingSystem }).system;
  });
}

describe("systems of the Unix family", () => {
  test("Debian's minor version comes from its own file", () => {
    const { mounts: _, ...system } = systemOf({
      "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n',
      "etc/debian_version": "12.11\n",
      "etc/hostname": "box.example\n",
      "etc/fstab": "",
      bin: "->usr/bin",
    });
    assert.deepEqual(system, {
      type: "linux",
      distro: "debian",
      productName: "Debian GNU/Linux 12 (bookworm)",
      major: 12,
      minor: 11,
      hostname: "box.example",
    });
  });

  test("CentOS, Ubuntu of before os-release, an old Red Hat, one without a name", () => {
    const root = { "etc/fstab": "", bin: null };
    const told = (files: Readonly<Record<string, string>>): unknown[] => {
      const { distro, major, minor } = systemOf({ ...root, ...files });
      return [distro, major, minor];
    };
    const centos = {
      "etc/os-release": 'ID="centos"\nVERSION_ID="7"\n',
      "etc/centos-release": "CentOS Linux release 7.9.2009 (Core)\n",
    };
    assert.deepEqual(told(centos), ["centos", 7, 9]);
    assert.deepEqual(told({ "etc/lsb-release": "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.04\n" }), ["ubuntu", 10, 4]);
    const rhel = { "etc/redhat-release": "Red Hat Enterprise Linux Server release 6.5 (Santiago)\n" };
    assert.deepEqual(told(rhel), ["rhel", 6, 5]);
    assert.deepEqual(told({ "etc/os-release": "ID='opensuse-leap'\nVERSION_ID=\"15.5\"\n" }), ["opensuse", 15, 5]);
    assert.deepEqual(told({}), [undefined, undefined, undefined]);
  });

  test("the architecture is that of a program", () => {
    withGuest({ "etc/fstab": "", bin: null }, (reader, folder) => {
      copyFileSync("/bin/true", join(folder, "bin/ls"));
      const role = unixRole(reader, finder, "/dev/sda1");
      const expected = new Map([
        ["x64", "x86_64"],
        ["arm64", "aarch64"],
      ]).get(process.arch);
      assert.equal((role as { system: OperatingSystem }).system.arch, expected);
    });
  });

  test("FreeBSD, NetBSD and a /usr by itself", () => {
    const freebsd = {
      "etc/fstab": "",
      bin: null,
      "bin/freebsd-version": 'USERLAND_VERSION="13.2-RELEASE-p1"\n',
      "etc/rc.conf": 'hostname="beastie"\n',
    };
    const { type, major, minor, hostname } = systemOf(freebsd);
    assert.deepEqual([type, major, minor, hostname], ["freebsd", 13, 2, "beastie"]);
    assert.equal(systemOf({ "etc/fstab": "", netbsd: "", "etc/release": "NetBSD 9.3/amd64\n" }).minor, 3);
    withGuest({ bin: null, share: null, lib: null, "lib/os-release": "ID=fedora\nVERSION_ID=39\n" }, (reader) => {
      const role = unixRole(reader, finder, "/dev/sda2");
      assert.equal(role?.kind, "usr");
    });
  });

  test("what a hostile guest puts in the place of files is as if it were not there", () => {
    const { mounts: _, ...system } = systemOf({
      "etc/fstab": "\0\0\xff no fields\n\\777 \\ \n".repeat(5000),
      "etc/os-release": "->/proc/self/environ",
      "etc/hostname": "->../../../../../../../etc/hostname",
      "etc/HOSTNAME": "->/etc/HOSTNAME",
      "etc/redhat-release": "->/dev/zero",
      "etc/lsb-release": null,
      "bin/sh": "->/bin/sh",
    });
    // The name of the machine that the test runs on would stand here.
    assert.deepEqual(system, { type: "linux" });
  });

  test("nothing known", () => {
    withGuest({ data: "x" }, (reader) => assert.equal(unixRole(reader, finder, "/dev/sda1"), undefined));
  });
});
