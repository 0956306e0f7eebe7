import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { copyData, isZero } from "./copy-data.ts";
import type { CopyOptions } from "./copy-data.ts";
import type { Context } from "./context.ts";
import { DaemonState } from "./daemon-state.ts";

const folder = mkdtempSync(join(tmpdir(), "copy-data-test-"));
const root = join(folder, "root");
after(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root);
  writeFileSync(join(root, "src"), "0123456789");
});

const state = new DaemonState({ sysroot: root, live: false, network: false, verbose: false, appliance: false }, 8192);
let steps: [number, number][] = [];
const context: Context = {
  state,
  sysroot: state.sysroot,
  progress: (position, total) => void steps.push([position, total]),
  pulse: () => {},
  endAfterReply: () => {},
};
const copy = (from: string, to: string, options: CopyOptions = {}): void =>
  copyData(context, { path: from, isDevice: false }, { path: to, isDevice: false }, options);
const read = (name: string): string => readFileSync(join(root, name), "latin1");

test("parts of files", () => {
  writeFileSync(join(root, "dest"), "abcdefghijklmnop");
  steps = [];
  copy("/src", "/dest");
  assert.equal(read("dest"), "0123456789");
  assert.deepEqual(steps, [[10, 10]]);
  copy("/src", "/dest", { srcoffset: 3, size: 3 });
  assert.equal(read("dest"), "345");
  copy("/src", "/dest", { append: true });
  assert.equal(read("dest"), "3450123456789");
  copy("/src", "/dest", { destoffset: 2, size: 1 });
  assert.equal(read("dest"), "\u0000\u00000");
});

test("holes", () => {
  const size = 3 * 1024 * 1024 + 5;
  const data = Buffer.alloc(size);
  data.write("x", 2 * 1024 * 1024);
  writeFileSync(join(root, "src"), data);
  copy("/src", "/dest", { sparse: true });
  assert.ok(readFileSync(join(root, "dest")).equals(data));
  assert.ok(statSync(join(root, "dest")).blocks * 512 < size / 2);
});

test("what can't be", () => {
  assert.throws(() => copy("/src", "/dest", { size: 11 }), { errno: "EINVAL" });
  assert.throws(() => copy("/src", "/dest", { srcoffset: -1 }), { errno: "EINVAL" });
  assert.throws(() => copy("/absent", "/dest"), { code: "ENOENT" });
  assert.throws(() => copy("/src", "/src"), { errno: "EINVAL" });
  assert.equal(read("src"), "0123456789");
});

test("no symlink leads out of the guest", () => {
  const outside = join(folder, "outside");
  writeFileSync(outside, "secret");
  symlinkSync(outside, join(root, "absolute"));
  symlinkSync(`${"../".repeat(20)}${outside.slice(1)}`, join(root, "dots"));
  symlinkSync("loop", join(root, "loop"));
  symlinkSync("/proc/self/fd/0", join(root, "magic"));
  for (const name of ["absolute", "dots", "loop", "magic"]) {
    assert.throws(() => copy(`/${name}`, "/dest"));
    assert.throws(() => copy("/src", `/${name}`));
  }
  assert.equal(readFileSync(outside, "utf8"), "secret");
});

test("zeroes", () => {
  assert.equal(isZero(new Uint8Array(0)), true);
  assert.equal(isZero(Buffer.alloc(3 * 1024 * 1024)), true);
  const late = Buffer.alloc(3 * 1024 * 1024);
  late[late.length - 1] = 1;
  assert.equal(isZero(late), false);
});
