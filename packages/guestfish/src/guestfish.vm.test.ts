import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

// The main job as a person types it, on disks in a real appliance.

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const node = ["--conditions=source", "--import", import.meta.resolve("tsx"), main];

interface Outcome {
  readonly output: string;
  readonly messages: string;
  readonly status: number | null;
}

function guestfish(folder: string, ...args: readonly string[]): Outcome {
  const { stdout, stderr, status } = spawnSync(process.execPath, [...node, ...args], {
    cwd: folder,
    input: "",
    encoding: "utf8",
  });
  return { output: stdout, messages: stderr, status };
}

function digest(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** Copies a part of a file into one of its own. */
function extract(from: string, to: string, offset: number, length: number): void {
  const bytes = Buffer.alloc(length);
  const source = openSync(from, "r");
  readSync(source, bytes, 0, length, offset);
  closeSync(source);
  writeFileSync(to, bytes);
}

describe("guestfish with the appliance", () => {
  test("a prepared disk is made, written, read again, and not changed by --ro", (t) => {
    const folder = mkdtempSync(join(tmpdir(), "guestfish-vm-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const disk = join(folder, "test1.img");

    const made = guestfish(
      folder,
      "-N",
      "fs:ext4:64M",
      "-m",
      "/dev/sda1",
      "write",
      "/hostname",
      "guest\n",
      ":",
      "part-list",
      "/dev/sda",
    );
    assert.deepEqual([made.status, made.messages], [0, ""]);
    const [start, size] = ["part_start", "part_size"].map((name) =>
      Number(new RegExp(`${name}: (\\d+)`).exec(made.output)?.[1]),
    );
    assert.ok(start !== undefined && size !== undefined && start > 0 && size > 0);

    const before = digest(disk);
    const read = guestfish(folder, "--ro", "--format=raw", "-a", disk, "-m", "/dev/sda1", "cat", "/hostname");
    assert.equal(read.output, "guest\n\n");
    const refused = guestfish(folder, "--ro", "-a", disk, "-m", "/dev/sda1", "write", "/hostname", "other");
    assert.equal(refused.status, 1);
    assert.match(refused.messages, /libguestfs: error: .*Read-only file system/);
    assert.equal(digest(disk), before);

    extract(disk, join(folder, "partition"), start, size);
    const check = spawnSync("e2fsck", ["-fn", join(folder, "partition")], { encoding: "utf8" });
    assert.equal(check.status, 0, check.stdout + check.stderr);
  });

  test("volumes, several disks, and what is wrong with -m and -i", (t) => {
    const folder = mkdtempSync(join(tmpdir(), "guestfish-vm-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const prepared = ["-N", "bootrootlv:/dev/V/L:ext2:ext4:200M:32M", "-N", "x.img=part:20M:gpt"];
    const { output, messages, status } = guestfish(
      folder,
      ...prepared,
      ...[
        "-m",
        "/dev/V/L",
        "lvs",
        ":",
        "vfs-type",
        "/dev/sda1",
        ":",
        "vfs-type",
        "/dev/V/L",
        ":",
        "part-get-parttype",
        "/dev/sdb",
      ],
      ...[":", "mkdir", "/boot", ":", "mount", "/dev/sda1", "/boot", ":", "mountpoints"],
    );
    assert.deepEqual([status, messages], [0, ""]);
    assert.equal(output, "/dev/V/L\next2\next4\ngpt\n/dev/V/L: /\n/dev/sda1: /boot\n");

    const wrong = guestfish(folder, "--ro", "-a", "test1.img", "-m", "/dev/sda9", "echo", "not reached");
    assert.deepEqual([wrong.status, wrong.output], [1, ""]);
    assert.match(wrong.messages, /^guestfish: +\/dev\/sda1 \(ext2\)$/m);

    const empty = guestfish(folder, "--ro", "-a", "x.img", "-i", "echo", "not reached");
    assert.deepEqual([empty.status, empty.output], [1, ""]);
    assert.match(empty.messages, /^guestfish: -i: no operating system/);
  });
});
