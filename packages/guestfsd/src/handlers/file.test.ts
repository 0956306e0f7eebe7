import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
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
/** A folder that no guest path may reach. */
let outside: string;

before(async () => {
  daemon = await startOwnDaemon();
  client = await RawClient.connect(daemon.socketPath);
  outside = mkdtempSync(join(tmpdir(), "outside-"));
  writeFileSync(join(outside, "secret"), "secret\n");
  mkdirSync(join(daemon.sysroot, "trap"));
  for (const [name, target] of [
    ["absolute", outside],
    ["climbing", `${"../".repeat(40)}${outside}`],
    ["magic", "/proc/self/root"],
    ["cwd", "/proc/1/cwd"],
    ["loop", "loop"],
    ["file", join(outside, "secret")],
    ["new", join(outside, "made")],
  ] as const)
    symlinkSync(target, join(daemon.sysroot, "trap", name));
});

after(async () => {
  client.close();
  await daemon.stop();
  rmSync(outside, { recursive: true });
});

const inGuest = (path: string): string => join(daemon.sysroot, path);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const write = (path: string, text: string): Promise<unknown> =>
  client.call("internal_write", { path, content: bytes(text) });

async function errno(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof ReplyError, `an error reply was expected, not ${String(error)}`);
  return error.errno;
}

test("no link of a hostile guest leads out of its tree", async () => {
  for (const link of ["absolute", "climbing", "magic", "cwd", "loop"]) {
    const path = `/trap/${link}/secret`;
    const calls: [string, Record<string, unknown>][] = [
      ["internal_write", { path, content: bytes("x") }],
      ["internal_write_append", { path, content: bytes("x") }],
      ["download", { remotefilename: path }],
      ["checksum", { csumtype: "md5", path }],
      ["checksum", { csumtype: "crc", path }],
      ["mkdir", { path }],
      ["rm", { path }],
      ["chmod", { mode: 0, path }],
      ["lchown", { owner: 1, group: 1, path }],
      ["ln", { target: path, linkname: "/caught" }],
      ["ln_s", { target: "x", linkname: path }],
      ["mv", { src: path, dest: "/caught" }],
      ["cp", { src: path, dest: "/caught" }],
      ["cp_a", { src: path, dest: "/caught" }],
      ["grep", { regex: "s", path }],
      ["file", { path }],
      ["lstatns", { path }],
      ["statns", { path }],
      ["getxattrs", { path }],
      ["acl_get_file", { path, acltype: "access" }],
      ["tar_out", { directory: `/trap/${link}` }],
      ["cpio_out", { directory: `/trap/${link}` }],
      ["ls0", { dir: `/trap/${link}` }],
      ["find0", { directory: `/trap/${link}` }],
    ];
    for (const [name, args] of calls) await assert.rejects(client.call(name, args), ReplyError, `${name} ${link}`);
    if (link === "loop") assert.equal(await errno(client.call("rm_rf", { path })), "ELOOP");
    else await client.call("rm_rf", { path });
    await assert.rejects(client.upload("tar_in", { directory: `/trap/${link}` }, new Uint8Array(10240)), ReplyError);
    assert.equal(await client.call("exists", { path }), false);
    assert.deepEqual(await client.call("glob_expand", { pattern: `/trap/${link}/*` }), []);
  }
  assert.deepEqual(readdirSync(outside), ["secret"]);
  assert.equal(readFileSync(join(outside, "secret"), "utf8"), "secret\n");
});

test("what kind of file it is: of a link itself, also with slashes behind it, unless it is to be followed", async () => {
  await client.call("mkdir_p", { path: "/kinds/folder" });
  await write("/kinds/\u00e4", "");
  await client.call("ln_s", { target: "folder", linkname: "/kinds/link" });
  await client.call("ln_s", { target: "nowhere", linkname: "/kinds/dangling" });
  const questions: [name: string, path: string, followsymlinks: boolean | undefined, answer: boolean][] = [
    ["is_symlink", "/kinds/link", undefined, true],
    ["is_symlink", "/kinds/link//", undefined, true],
    ["is_symlink", "/kinds/folder", undefined, false],
    ["is_dir", "/kinds/link", false, false],
    ["is_dir", "/kinds/link", true, true],
    ["is_dir", "/kinds/folder/", false, true],
    ["is_dir", "/kinds/folder/..", false, true],
    ["is_dir", "/", false, true],
    ["is_file", "/kinds/\u00e4", false, true],
    ["is_file", "/kinds/dangling", true, false],
    ["exists", "/kinds/dangling", undefined, true],
    ["exists", "/kinds/\u00e4/below", undefined, false],
    ["exists", `/kinds/${"long/".repeat(1000)}`, undefined, false],
  ];
  for (const [name, path, followsymlinks, answer] of questions) {
    const args = { path, ...(followsymlinks === undefined ? {} : { followsymlinks }) };
    assert.equal(await client.call(name, args), answer, `${name} ${path.slice(0, 40)}`);
  }
});

test("what is copied or written over a link stays in the tree", async () => {
  await write("/plain", "plain");
  await errno(client.call("cp", { src: "/plain", dest: "/trap/file" }));
  await errno(client.call("cp_a", { src: "/plain", dest: "/trap/new" }));
  await errno(write("/trap/new", "x"));
  await errno(client.upload("upload", { remotefilename: "/trap/file" }, bytes("x")));
  await client.call("mkdir_p", { path: "/from/trap" });
  await write("/from/trap/file", "overwritten");
  // Into the folder of traps, where `file` is a link to the outside.
  await client.call("cp_a", { src: "/from/trap", dest: "/" });
  assert.equal(readFileSync(inGuest("/trap/file"), "utf8"), "overwritten");
  assert.equal(readFileSync(join(outside, "secret"), "utf8"), "secret\n");
  assert.equal(existsSync(join(outside, "made")), false);
});

test("absolute links of the guest are followed inside of it", async () => {
  await client.call("mkdir_p", { path: "/run/lock" });
  await client.call("mkdir", { path: "/var" });
  await client.call("ln_s", { target: "/run", linkname: "/var/run" });
  await write("/var/run/lock/held", "held");
  assert.equal(readFileSync(inGuest("/run/lock/held"), "utf8"), "held");
  assert.equal(await client.call("realpath", { path: "/var/run/../run/lock/held" }), "/run/lock/held");
  assert.equal(await client.call("case_sensitive_path", { path: "/VAR/RUN/Lock/HELD" }), "/var/run/lock/held");
  assert.deepEqual(await client.call("glob_expand", { pattern: "/var/run/l*/{held,other}" }), ["/var/run/lock/held"]);
});

test("names that are not UTF-8 stay what they are", async () => {
  const name = "caf\udce9";
  await write(`/${name}`, "coffee");
  const names = readdirSync(daemon.sysroot, { encoding: "buffer" });
  assert.ok(names.some((found) => found.equals(Buffer.from("caf\xe9", "latin1"))));
  await client.call("rename", { oldpath: `/${name}`, newpath: `/${name}2` });
  assert.equal((await client.download("ls0", { dir: "/" })).includes(Buffer.from("caf\xe92\0", "latin1")), true);
  await client.call("cp", { src: `/${name}2`, dest: "/tea" });
  await client.call("rm_rf", { path: `/${name}2` });
  assert.equal(await client.call("exists", { path: `/${name}2` }), false);
});

test("pipes and character devices never make the daemon wait", async () => {
  await client.call("mkfifo", { mode: 0o644, path: "/pipe" });
  for (const [name, args] of [
    ["checksum", { csumtype: "md5", path: "/pipe" }],
    ["wc_l", { path: "/pipe" }],
    ["internal_write", { path: "/pipe", content: bytes("x") }],
    ["equal", { file1: "/pipe", file2: "/pipe" }],
  ] as const)
    await errno(client.call(name, args));
  assert.equal((await client.download("download", { remotefilename: "/pipe" })).length, 0);
  assert.equal(await client.call("file", { path: "/pipe" }), "FIFO");
});

test("holes stay holes in a copy", async () => {
  await client.call("truncate_size", { path: "/plain", size: 0 });
  await client.call("truncate_size", { path: "/plain", size: 50_000_000 });
  await client.call("pwrite", { path: "/plain", content: bytes("end"), offset: 40_000_000 });
  await client.call("cp", { src: "/plain", dest: "/copy" });
  const copy = lstatSync(inGuest("/copy"));
  assert.deepEqual([copy.size, copy.blocks < 1000], [50_000_000, true]);
  assert.equal(await client.call("equal", { file1: "/plain", file2: "/copy" }), true);
  assert.equal(await client.call("is_zero", { path: "/copy" }), false);
});

test("ten thousand files: every listing has them all", async () => {
  await client.call("mkdir_p", { path: "/many/sub" });
  await client.call("fill_dir", { dir: "/many", nr: 10_000 });
  const names = (await client.download("ls0", { dir: "/many" })).toString().split("\0");
  assert.equal(names.length, 10_002);
  assert.equal((await client.download("find0", { directory: "/many" })).toString().split("\0").length, 10_002);
  const entries = (await client.call("retired_readdir", { dir: "/many" })) as {
    name: string;
    ftyp: string;
    ino: bigint;
  }[];
  assert.equal(entries.length, 10_003);
  assert.deepEqual(
    entries
      .filter(({ ftyp }) => ftyp === "d")
      .map(({ name }) => name)
      .toSorted(),
    [".", "..", "sub"],
  );
  assert.equal(entries.find(({ name }) => name === "00000007")?.ino, BigInt(lstatSync(inGuest("/many/00000007")).ino));
  const streamed = await client.download("internal_readdir", { dir: "/many" });
  assert.equal(streamed.length % 4, 0);
  const stats = (await client.call("internal_lstatnslist", {
    path: "/many",
    names: ["00000000", "absent", "sub"],
  })) as { st_ino: bigint; st_mode: number }[];
  assert.deepEqual([stats.length, stats[1]?.st_ino, stats[2]?.st_mode], [3, -1n, lstatSync(inGuest("/many/sub")).mode]);
});

test("links, nodes and temporary names", async () => {
  await write("/one", "1");
  await write("/two", "2");
  assert.equal(await errno(client.call("ln", { target: "/one", linkname: "/two" })), "EEXIST");
  await client.call("ln_f", { target: "/one", linkname: "/two" });
  assert.equal(lstatSync(inGuest("/two")).nlink, 2);
  await client.call("ln_sf", { target: "one", linkname: "/two" });
  assert.equal(await client.call("readlink", { path: "/two" }), "one");
  await client.call("ln_s", { target: "/one", linkname: "/many" });
  assert.equal(await client.call("readlink", { path: "/many/one" }), "/one");
  await errno(client.call("mknod_b", { mode: 0o10777, devmajor: 1, devminor: 1, path: "/node" }));
  const made = (await client.call("mkdtemp", { tmpl: "/tmpXXXXXX" })) as string;
  assert.match(made, /^\/tmp[0-9A-Za-z]{6}$/);
  assert.match((await client.call("mktemp", { tmpl: "/fXXXXXX", suffix: ".x" })) as string, /^\/f\w{6}\.x$/);
  await client.call("umask", { mask: 0o77 });
  await client.call("mkdir_mode", { path: "/masked", mode: 0o777 });
  assert.equal(lstatSync(inGuest("/masked")).mode & 0o777, 0o700);
  assert.equal(await client.call("umask", { mask: 0o22 }), 0o77);
});

test("checksums agree with coreutils", async () => {
  await write("/sum", "some content\n");
  for (const type of ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]) {
    const expected = execFileSync(`${type}sum`, [inGuest("/sum")], { encoding: "utf8" }).split(" ")[0];
    assert.equal(await client.call("checksum", { csumtype: type, path: "/sum" }), expected);
  }
  const crc = execFileSync("cksum", [inGuest("/sum")], { encoding: "utf8" }).split(" ")[0];
  assert.equal(await client.call("checksum", { csumtype: "crc", path: "/sum" }), crc);
  await client.call("mkdir", { path: "/sums" });
  await write("/sums/with\nline end", "x");
  const lines = await client.download("checksums_out", { csumtype: "md5", directory: "/sums" });
  assert.equal(
    lines.toString(),
    execFileSync("md5sum", ["./with\nline end"], { cwd: inGuest("/sums"), encoding: "utf8" }),
  );
});

test("a path that ends in a slash is a folder's, in letters of any case", async () => {
  await client.call("mkdir_p", { path: "/Mixed/Case" });
  await write("/Mixed/Name", "x");
  assert.equal(await client.call("case_sensitive_path", { path: "/mixed/CASE/" }), "/Mixed/Case");
  assert.equal(await client.call("case_sensitive_path", { path: "/mixed/NAME" }), "/Mixed/Name");
  assert.equal(await errno(client.call("case_sensitive_path", { path: "/mixed/NAME/" })), "ENOTDIR");
});

test("kinds of checksums are told apart whatever their letters' case; no room of no bytes", async () => {
  await write("/sum", "hello");
  const sum = "5d41402abc4b2a76b9719d911017c592";
  for (const csumtype of ["md5", "MD5"]) assert.equal(await client.call("checksum", { csumtype, path: "/sum" }), sum);
  assert.equal(await errno(client.call("fallocate64", { path: "/room", len: 0 })), "EINVAL");
});
