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
import { after, before, test } from "node:test";
import { RawClient, ReplyError, startOwnDaemon } from "@guestfs/testkit";
import type { OwnDaemon } from "@guestfs/testkit";

let daemon: OwnDaemon;
let client: RawClient;
let scratch: string;

before(async () => {
  daemon = await startOwnDaemon();
  client = await RawClient.connect(daemon.socketPath);
  scratch = mkdtempSync(join(tmpdir(), "archive-"));
  const top = join(daemon.sysroot, "top");
  mkdirSync(join(top, "folder"), { recursive: true });
  writeFileSync(join(top, "folder", "file"), "content\n");
  writeFileSync(join(top, "folder", "left out"), "x");
  symlinkSync("folder/file", join(top, "link"));
  chmodSync(join(top, "folder"), 0o750);
});

after(async () => {
  client.close();
  await daemon.stop();
  rmSync(scratch, { recursive: true });
});

const inGuest = (path: string): string => join(daemon.sysroot, path);

function program(name: string, args: readonly string[], input?: Uint8Array): Buffer {
  return execFileSync(name, args, { cwd: scratch, maxBuffer: 1 << 28, ...(input ? { input } : {}) });
}

for (const compress of [undefined, "gzip", "bzip2", "xz", "zstd"])
  test(`a tree goes out and in again as tar, compressed by ${compress ?? "nothing"}`, async () => {
    const options = compress === undefined ? {} : { compress };
    const packed = await client.download("tar_out", { directory: "/top", ...options, excludes: ["*left*"] });
    const target = `/in-${compress}`;
    await client.call("mkdir", { path: target });
    await client.upload("tar_in", { directory: target, ...options }, packed);
    assert.equal(readFileSync(inGuest(`${target}/link`), "utf8"), "content\n");
    assert.equal(lstatSync(inGuest(`${target}/folder`)).mode & 0o777, 0o750);
    assert.equal(await client.call("exists", { path: `${target}/folder/left out` }), false);
  });

test("what is unpacked stays in the guest's tree, whatever symlinks lie there", async (t) => {
  // Only root's daemon has mounts of its own.
  if (process.geteuid?.() !== 0) return t.skip("needs root");
  const outside = join(scratch, "outside");
  for (const folder of [outside, join(scratch, "tree/x/new"), inGuest("/leads"), inGuest("/leads/inside")])
    mkdirSync(folder, { recursive: true });
  writeFileSync(join(outside, "file"), "outside\n");
  for (const name of ["file", "other", "new/file"]) writeFileSync(join(scratch, "tree/x", name), "unpacked\n");
  const members = ["x/file", "x/other", "x/new", "x/new/file"];
  const archive = program("tar", ["-cf", "-", "--no-recursion", "-C", "tree", ...members]);
  for (const target of [outside, `/proc/${process.pid}/root${outside}`]) {
    rmSync(inGuest("/leads/x"), { force: true });
    symlinkSync(target, inGuest("/leads/x"));
    await assert.rejects(client.upload("tar_in", { directory: "/leads" }, archive), ReplyError);
    assert.equal(readFileSync(join(outside, "file"), "utf8"), "outside\n");
    assert.deepEqual(readdirSync(outside), ["file"]);
  }
  rmSync(inGuest("/leads/x"));
  symlinkSync("inside", inGuest("/leads/x"));
  await client.upload("tar_in", { directory: "/leads" }, archive);
  assert.equal(readFileSync(inGuest("/leads/inside/new/file"), "utf8"), "unpacked\n");
  // The daemon itself is as it was.
  await client.call("internal_write", { path: "/leads/after", content: Buffer.from("x") });
  assert.equal(await client.call("exists", { path: "/leads/after" }), true);
});

test("broken archives and unknown compressions are errors; the conversation goes on", async () => {
  await client.call("mkdir", { path: "/broken" });
  await assert.rejects(client.upload("tar_in", { directory: "/broken" }, Buffer.alloc(100_000, "junk")), ReplyError);
  await assert.rejects(client.upload("tgz_in", { directory: "/broken" }, Buffer.alloc(5_000_000, "junk")), ReplyError);
  await assert.rejects(client.upload("tar_in", { directory: "/broken", compress: "rar" }, Buffer.alloc(9)), ReplyError);
  await assert.rejects(client.download("compress_out", { ctype: "gzip", file: "/top", level: 5 }), ReplyError);
  await assert.rejects(
    client.download("compress_out", { ctype: "gzip", file: "/top/folder/file", level: 77 }),
    ReplyError,
  );
  await client.call("ping_daemon");
});

test("compressed files unpack to what they were", async () => {
  writeFileSync(inGuest("/big"), Buffer.alloc(3_000_000, "some text "));
  for (const ctype of ["gzip", "bzip2", "xz", "zstd"]) {
    const packed = await client.download("compress_out", { ctype, file: "/big", level: 1 });
    assert.ok(program(ctype, ["-dc"], packed).equals(readFileSync(inGuest("/big"))), ctype);
  }
});

test("cpio archives hold the tree", async () => {
  for (const format of ["newc", "crc"]) {
    const packed = await client.download("cpio_out", { directory: "/top", format });
    const names = program("cpio", ["-it", "--quiet"], packed).toString().trim().split("\n").toSorted();
    assert.deepEqual(names, [".", "folder", "folder/file", "folder/left out", "link"]);
  }
});

test("squashfs images hold the tree", async () => {
  writeFileSync(
    join(scratch, "image"),
    await client.download("mksquashfs", { path: "/top", excludes: ["folder/left*"] }),
  );
  const listing = program("unsquashfs", ["-l", "-d", "", "image"]).toString();
  assert.match(listing, /\/folder\/file\n/);
  assert.doesNotMatch(listing, /left out/);
});

test("base64 goes out as base64(1) writes it, and comes in with whatever white space", async () => {
  const content = Buffer.from(Array.from({ length: 100_001 }, (_, i) => (i * 7) & 255));
  await client.upload("upload", { remotefilename: "/raw" }, content);
  const encoded = await client.download("base64_out", { filename: "/raw" });
  assert.ok(encoded.equals(program("base64", [], content)));
  const spread = Buffer.from(encoded.toString().replaceAll("\n", "").replace(/.{61}/g, "$& \r\n\t"));
  await client.upload("base64_in", { filename: "/back" }, spread);
  assert.ok(readFileSync(inGuest("/back")).equals(content));
  await client.upload("base64_in", { filename: "/back" }, Buffer.from("aGVs\nbG8=IHRo\nZXJlIQ=="));
  assert.equal(readFileSync(inGuest("/back"), "utf8"), "hello there!");
  await assert.rejects(client.upload("base64_in", { filename: "/back" }, Buffer.from("hello")), /it ends too early/);
});

test("initrds: plain, compressed, and one archive behind the other", async () => {
  const plain = await client.download("cpio_out", { directory: "/top" });
  mkdirSync(inGuest("/early/kernel"), { recursive: true });
  writeFileSync(inGuest("/early/kernel/microcode"), "code");
  const early = await client.download("cpio_out", { directory: "/early" });
  const images = {
    plain,
    gzip: program("gzip", ["-c"], plain),
    zstd: program("zstd", ["-c"], plain),
    joined: Buffer.concat([early, Buffer.alloc(512), program("xz", ["-c"], plain)]),
    streamed: program("gzip", ["-c"], Buffer.concat([early, plain])),
  };
  for (const [name, image] of Object.entries(images)) {
    writeFileSync(inGuest("/initrd"), image);
    const names = (await client.call("initrd_list", { path: "/initrd" })) as string[];
    assert.ok(names.includes("folder/file"), name);
    assert.equal(names.includes("kernel/microcode"), name === "joined" || name === "streamed", name);
    const content = (await client.call("initrd_cat", { initrdpath: "/initrd", filename: "folder/file" })) as Uint8Array;
    assert.equal(Buffer.from(content).toString(), "content\n", name);
  }
  await assert.rejects(client.call("initrd_cat", { initrdpath: "/initrd", filename: "absent" }), ReplyError);
  writeFileSync(inGuest("/initrd"), plain.subarray(0, 300));
  assert.ok(Array.isArray(await client.call("initrd_list", { path: "/initrd" })));
});
