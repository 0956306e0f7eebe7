import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { buildDebianPackage } from "./build-debian-package.ts";
import { neededGlibc } from "./control-files.ts";

const reason = existsSync("/usr/bin/dpkg-deb") ? undefined : "no dpkg-deb: this is no Debian";
if (reason !== undefined) console.log(`skipped: ${reason}`);

describe("the Debian package", { skip: reason ?? false }, () => {
  const folder = mkdtempSync(join(tmpdir(), "guestfsd-deb-test-"));
  const bundle = join(folder, "bundle");
  // What stands for Node: the package does not run it, and it has libraries that every guest has.
  const node = "/usr/bin/true";
  mkdirSync(join(bundle, "node_modules/native"), { recursive: true });
  writeFileSync(join(bundle, "guestfsd.cjs"), "// the daemon\n");
  writeFileSync(join(bundle, "node_modules/native/native.node"), "GLIBC_2.99\0");
  after(() => rmSync(folder, { recursive: true, force: true }));

  const build = (): string => buildDebianPackage({ folder, bundle, node, compression: "none" });
  const ask = (...args: string[]): string => execFileSync("dpkg-deb", args, { encoding: "utf8" });

  it("holds the daemon, its runtime, the unit, the rule and the policy, all root's", () => {
    const listing = ask("--contents", build());
    for (const [path, mode] of [
      ["usr/lib/guestfsd/guestfsd.cjs", "-rw-r--r--"],
      ["usr/lib/guestfsd/node", "-rwxr-xr-x"],
      ["usr/lib/guestfsd/node_modules/native/native.node", "-rw-r--r--"],
      ["usr/sbin/guestfsd", "-rwxr-xr-x"],
      ["etc/guestfsd/policy.json", "-rw-r--r--"],
      ["lib/systemd/system/guestfsd-live@.service", "-rw-r--r--"],
      ["lib/udev/rules.d/90-guestfsd-live.rules", "-rw-r--r--"],
      ["usr/share/doc/guestfsd-live/copyright", "-rw-r--r--"],
    ] as const)
      assert.match(listing, new RegExp(`^${mode} root/root .* \\./${path.replaceAll(".", "\\.")}$`, "m"));
  });

  it("asks for nothing but the C and C++ libraries, and takes the place of the stock package", () => {
    const file = build();
    assert.equal(ask("--field", file, "Package"), "guestfsd-live\n");
    assert.equal(ask("--field", file, "Depends"), "libc6 (>= 2.99), libstdc++6 (>= 8)\n");
    assert.equal(ask("--field", file, "Conflicts"), "guestfsd\n");
    assert.equal(ask("--info", file, "conffiles"), "/etc/guestfsd/policy.json\n");
    assert.match(ask("--info", file, "md5sums"), /^[0-9a-f]{32} {2}usr\/sbin\/guestfsd$/m);
    for (const script of ["postinst", "prerm", "postrm"])
      execFileSync("sh", ["-n"], { input: ask("--info", file, script) });
  });

  it("has the same bytes when it is made again", () => {
    const digest = (): string => createHash("sha256").update(readFileSync(build())).digest("hex");
    assert.equal(digest(), digest());
  });

  it("refuses a Node that a guest may not be able to run, and a bundle that is none", () => {
    assert.throws(() => buildDebianPackage({ folder, bundle, node: "/bin/ls" }), /ls needs libselinux/);
    assert.throws(() => buildDebianPackage({ folder, bundle: folder }), /holds no daemon: run npm run build/);
  });
});

describe("neededGlibc", () => {
  it("is the newest version that any of the binaries names", () => {
    const binaries = ["GLIBC_2.4\0GLIBC_2.17\0", "GLIBC_2.28\0GLIBC_2.9\0", "GLIBCXX_3.4.30\0"];
    assert.equal(neededGlibc(binaries.map((text) => Buffer.from(text))), "2.28");
    assert.equal(neededGlibc([Buffer.from("static")]), "2.17");
  });
});
