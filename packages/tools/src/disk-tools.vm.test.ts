import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

// The disk of a machine that is off, in the appliance.

function run(tool: string, ...args: readonly string[]): string {
  const program = fileURLToPath(new URL(`../bin/${tool}.js`, import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
  assert.deepEqual([status, stderr], [0, ""], `${tool} ${args.join(" ")}`);
  return stdout;
}

test("a disk with an operating system: mounted, written to, read and edited by the programs", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "disk-tools-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const root = join(folder, "root");
  for (const path of ["etc", "bin", "boot", "dev", "proc", "usr/bin", "var/lib/dpkg"])
    mkdirSync(join(root, path), { recursive: true });
  writeFileSync(join(root, "etc/os-release"), 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n');
  writeFileSync(join(root, "etc/debian_version"), "12.0\n");
  writeFileSync(join(root, "etc/fstab"), "/dev/sda / ext4 defaults 0 1\n");
  writeFileSync(join(root, "etc/hostname"), "off\n");
  const disk = join(folder, "disk.img");
  const made = spawnSync("mke2fs", ["-q", "-t", "ext4", "-d", root, disk, "64M"], { encoding: "utf8" });
  assert.equal(made.status, 0, made.stderr);

  const mount = join(folder, "mount");
  mkdirSync(mount);
  run("guestmount", "--format=raw", "-a", disk, "-i", mount);
  try {
    assert.equal(readFileSync(join(mount, "etc/hostname"), "utf8"), "off\n");
    writeFileSync(join(mount, "etc/motd"), "through the folder\n");
    writeFileSync(join(mount, "large"), Buffer.alloc(5 << 20, "large"));
  } finally {
    run("guestunmount", mount);
  }
  assert.deepEqual(readdirSync(mount), []);

  run("virt-edit", "-a", disk, "-m", "/dev/sda", "-e", "s/folder/program/", "/etc/motd");
  assert.equal(run("virt-cat", "-a", disk, "/etc/motd", "/etc/hostname"), "through the program\noff\n");
  const listed = run("virt-ls", "-lR", disk, "/").split("\n");
  assert.ok(listed.includes("- 0644    5242880 /large"), listed.join("\n"));
  const check = spawnSync("e2fsck", ["-fn", disk], { encoding: "utf8" });
  assert.equal(check.status, 0, check.stdout);
});
