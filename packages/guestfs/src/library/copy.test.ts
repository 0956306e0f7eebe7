import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { startScriptedPeer } from "@guestfs/testkit";
import { Guestfs } from "../index.ts";

let folder = "";
const at = (...names: string[]): string => join(folder, ...names);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "copy-"));
  mkdirSync(at("out"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Copies a tree out of a guest whose daemon sends these members of a folder. */
async function copyOut(tree: string, members: readonly string[]): Promise<void> {
  const archive = execFileSync("tar", ["-cf", "-", "--blocking-factor=2", "--no-recursion", "-C", tree, ...members]);
  await using peer = await startScriptedPeer(async (conversation) => {
    conversation.greet();
    for (;;) {
      const call = await conversation.call();
      if (call.row.name === "internal_feature_available") conversation.reply(call, 1);
      else conversation.reply(call, call.row.name === "is_dir" ? true : undefined);
      if (call.row.name !== "tar_out") continue;
      conversation.chunk({ type: "data", data: archive });
      conversation.chunk({ type: "end" });
    }
  });
  await using g = new Guestfs({ environment: false, closeTimeout: 100 });
  g.setBackend(`unix:${peer.socketPath}`);
  g.setAutosync(false);
  await g.launch();
  await g.copyOut("/tree", at("out"));
}

test("a second copy does not go through a symlink of the first one", async () => {
  for (const path of ["victim", "one", "two/x"]) mkdirSync(at(path), { recursive: true });
  symlinkSync(at("victim"), at("one", "x"));
  writeFileSync(at("two/x/file"), "of the guest\n");
  await copyOut(at("one"), ["x"]);
  await assert.rejects(copyOut(at("two"), ["x/file"]), /^GuestfsError: copy_out: .*cannot overwrite non-directory/s);
  assert.deepEqual(readdirSync(at("victim")), []);
  assert.deepEqual(readdirSync(at("out/tree")), ["x"]);
});

test("a second copy replaces files and links, and leaves what else is there", async () => {
  for (const path of ["one/sub", "two/sub", "out/tree/sub"]) mkdirSync(at(path), { recursive: true });
  writeFileSync(at("out/tree/sub/kept"), "kept");
  writeFileSync(at("out/tree/sub/file"), "old");
  writeFileSync(at("outside"), "outside");
  symlinkSync(at("outside"), at("out/tree/sub/link"));
  for (const name of ["file", "link"]) writeFileSync(at("two/sub", name), "new");
  symlinkSync("file", at("two/sub/fresh"));
  chmodSync(at("two/sub/file"), 0o000);
  chmodSync(at("two/sub"), 0o750);
  await copyOut(at("two"), [".", "./sub", "./sub/file", "./sub/link", "./sub/fresh"]);
  assert.deepEqual(readdirSync(at("out/tree")), ["sub"]);
  assert.deepEqual(readdirSync(at("out/tree/sub")), ["file", "fresh", "kept", "link"]);
  assert.equal(lstatSync(at("out/tree/sub")).mode & 0o777, 0o750);
  assert.equal(lstatSync(at("out/tree/sub/file")).mode & 0o777, 0);
  assert.equal(lstatSync(at("out/tree/sub/file")).nlink, 1);
  assert.equal(readFileSync(at("out/tree/sub/link"), "utf8"), "new");
  assert.equal(readFileSync(at("out/tree/sub/kept"), "utf8"), "kept");
  assert.equal(readFileSync(at("outside"), "utf8"), "outside");
});
