// A daemon as it runs in a machine (`-r`), on a folder and a unix socket.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { camelCase, effects, procedureByName } from "@guestfs/schema";
import type { Procedure } from "@guestfs/schema";
import { RawClient, ReplyError, startOwnDaemon } from "@guestfs/testkit";
import type { OwnDaemon } from "@guestfs/testkit";
import { Sysroot } from "../sysroot.ts";
import { CallGuard } from "./call-guard.ts";
import { loadPolicy } from "./policy.ts";

const folder = mkdtempSync(join(tmpdir(), "guestfsd-live-"));
after(() => rmSync(folder, { recursive: true }));
const policyFile = join(folder, "policy.json");
const root = process.geteuid?.() === 0;

function startLive(policy: unknown = {}): Promise<OwnDaemon> {
  writeFileSync(policyFile, typeof policy === "string" ? policy : JSON.stringify(policy));
  return startOwnDaemon({ args: ["-r", "--policy", policyFile, "--run-dir", join(folder, "run")] });
}

async function withClient<T>(daemon: OwnDaemon, use: (client: RawClient) => Promise<T>): Promise<T> {
  const client = await RawClient.connect(daemon.socketPath);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

async function refused(promise: Promise<unknown>, errno: string, message: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof ReplyError, String(error));
    assert.match(error.message, message);
    assert.equal(error.errno, errno);
    return true;
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(10);
}

/** Arguments that pass the checks. */
function someArguments(row: Procedure): Record<string, unknown> {
  const one = (of: string | undefined): string =>
    of === "device" || of === "mountable" ? "/dev/null" : of === "guid" ? "" : of === "plain" ? "x" : "/file";
  const value = ({ type, of }: Procedure["params"][number]): unknown => {
    if (type === "bool") return false;
    if (type === "int" || type === "int64") return 1;
    if (type === "buffer") return new Uint8Array(1);
    return type === "string-list" ? [one(of)] : one(of);
  };
  return Object.fromEntries(
    row.params
      .filter(({ of }) => of !== "file-in" && of !== "file-out")
      .map((parameter) => [camelCase(parameter.name), value(parameter)]),
  );
}

async function refusals(daemon: OwnDaemon, names: readonly string[], message: RegExp, errno: string): Promise<void> {
  const client = await RawClient.connect(daemon.socketPath);
  for (const name of names) {
    const row = procedureByName.get(name) as Procedure;
    const args = someArguments(row);
    const made = row.params.some(({ of }) => of === "file-in")
      ? client.upload(name, args, new Uint8Array(1))
      : client.call(name, args);
    await assert.rejects(made, (error) => {
      assert.ok(error instanceof ReplyError, `${name}: ${String(error)}`);
      // What is not installed here can't be asked for either.
      if (error.errno === "ENOTSUP") return true;
      assert.match(error.message, message, name);
      assert.equal(error.errno, errno, name);
      return true;
    });
  }
  client.close();
}

describe("the policy", () => {
  test("each call that would eat a running machine is refused, with the way to allow it", async () => {
    await using daemon = await startLive();
    writeFileSync(join(daemon.sysroot, "file"), "whole");
    const dangerous = [...effects].filter(([, effect]) => effect === "danger").map(([name]) => name);
    await refusals(daemon, dangerous, /could destroy .*; to allow it, put "\w+" into calls\.allow of \//, "EPERM");
    assert.equal(readFileSync(join(daemon.sysroot, "file"), "utf8"), "whole");
    await withClient(daemon, (client) => client.call("mkdir", { path: "/made" }));
  });

  test("what the file allows is done", async () => {
    await using daemon = await startLive({ calls: { allow: ["debug"] } });
    await withClient(daemon, (client) => client.call("debug", { subcmd: "help", extraargs: [] }));
  });

  test("read-only: every call that changes something is refused", async () => {
    await using daemon = await startLive({ mode: "read-only" });
    writeFileSync(join(daemon.sysroot, "file"), "whole");
    const changing = [...effects].filter(([, effect]) => effect !== "none").map(([name]) => name);
    await refusals(daemon, changing, /^refused by the policy of this machine: it is read-only/, "EROFS");
    assert.deepEqual(readdirSync(daemon.sysroot), ["file"]);
    await withClient(daemon, async (client) => {
      assert.equal((await client.download("download", { remotefilename: "/file" })).toString(), "whole");
    });
  });

  test("calls can be denied, or limited to some", async () => {
    await using daemon = await startLive({ calls: { only: ["topic:file", "mkdir"], deny: ["rm*"] } });
    await withClient(daemon, async (client) => {
      await client.call("mkdir", { path: "/made" });
      await client.call("touch", { path: "/made/file" });
      await refused(client.call("rm", { path: "/made/file" }), "EPERM", /rm is in calls\.deny of \//);
      await refused(client.call("command", { arguments: ["true"] }), "EPERM", /command is not in calls\.only of \//);
      assert.equal(await client.call("internal_feature_available", { group: "guestfs-extensions" }), 0);
    });
  });

  test("a file that says nothing clear: the daemon does not start", async () => {
    await assert.rejects(startLive('{"mode": "read-only", "calls": {"deny": ["mkfss"]}}'), /"mkfss" names no call/);
    await assert.rejects(startLive("{"), /policy\.json is no JSON/);
  });

  test("a change holds for the next client; one that says nothing clear refuses everything", async () => {
    await using daemon = await startLive();
    await withClient(daemon, (client) => client.call("mkdir", { path: "/a" }));
    writeFileSync(policyFile, '{"mode": "read-only"}');
    await withClient(daemon, (client) => refused(client.call("mkdir", { path: "/b" }), "EROFS", /it is read-only/));
    writeFileSync(policyFile, '{"mode": "read-olny"}');
    await withClient(daemon, async (client) => {
      await refused(client.call("exists", { path: "/a" }), "EPERM", /can't be understood: .*"read-olny"/);
      assert.match(String(await client.call("extension_daemon_status")), /everything is refused/);
    });
    writeFileSync(policyFile, "{}");
    await withClient(daemon, (client) => client.call("mkdir", { path: "/b" }));
  });
});

describe("limits for paths", () => {
  const deny = { paths: { deny: ["/etc/secret", "/private"] } };
  const fill = (sysroot: string): void => {
    for (const path of ["dev", "etc", "etc/secret", "private", "open"]) mkdirSync(join(sysroot, path));
    for (const path of ["etc/secret/key", "private/key", "open/file"]) writeFileSync(join(sysroot, path), path);
    symlinkSync("/etc/secret", join(sysroot, "open/absolute"));
    symlinkSync("../private/key", join(sysroot, "open/relative"));
    symlinkSync("../../../../etc/secret/key", join(sysroot, "open/over-the-top"));
    symlinkSync("chain2", join(sysroot, "open/chain1"));
    symlinkSync("relative", join(sysroot, "open/chain2"));
    symlinkSync("/private/new", join(sysroot, "open/dangling"));
  };

  test("nothing below a denied path can be read or changed, whatever leads there", async () => {
    await using daemon = await startLive(deny);
    fill(daemon.sysroot);
    const denied = /refused by the policy of this machine: nothing below \S+ may be used/;
    await withClient(daemon, async (client) => {
      for (const path of [
        "/private/key",
        "/open/relative",
        "/open/absolute/key",
        "/open/over-the-top",
        "/open/chain1",
        "/open/../private/key",
        "//private//key",
        "/../../private/key",
      ]) {
        await refused(client.call("checksum", { csumtype: "md5", path }), "EACCES", denied);
        await refused(client.call("internal_write", { path, content: Buffer.from("x") }), "EACCES", denied);
        await refused(client.call("truncate", { path }), "EACCES", denied);
        await refused(client.call("cp", { src: path, dest: "/open/copy" }), "EACCES", denied);
        await refused(client.call("cp", { src: "/open/file", dest: path }), "EACCES", denied);
        await refused(client.call("chmod", { mode: 0o777, path }), "EACCES", denied);
      }
      await refused(client.call("internal_readdir", { dir: "/open/absolute" }), "EACCES", denied);
      await refused(client.call("mkdir", { path: "/open/absolute/made" }), "EACCES", denied);
      await refused(client.call("ln", { target: "/private/key", linkname: "/open/hard" }), "EACCES", denied);
      await refused(client.call("lstatns", { path: "/private/key" }), "EACCES", denied);
      await refused(
        client.call("internal_lstatnslist", { path: "/private", names: ["key"] }),
        "EACCES",
        /refused by the policy/,
      );
      await assert.rejects(client.call("internal_write", { path: "/open/dangling", content: Buffer.from("x") }));
      assert.equal(existsSync(join(daemon.sysroot, "private/new")), false);
      assert.equal(readFileSync(join(daemon.sysroot, "private/key"), "utf8"), "private/key");
      assert.deepEqual(readdirSync(join(daemon.sysroot, "open")).length, 7);
    });
  });

  test("nor with what is above it", async () => {
    await using daemon = await startLive(deny);
    fill(daemon.sysroot);
    const below = /\/etc\/secret is below it, and may not be used/;
    await withClient(daemon, async (client) => {
      await refused(client.call("rm_rf", { path: "/etc" }), "EACCES", below);
      await refused(client.call("mv", { src: "/etc", dest: "/open/moved" }), "EACCES", below);
      await refused(client.call("rename", { oldpath: "/etc", newpath: "/open/moved" }), "EACCES", below);
      await refused(client.call("cp_a", { src: "/etc", dest: "/open/copied" }), "EACCES", below);
      await refused(client.call("tar_out", { directory: "/" }), "EACCES", below);
      await refused(client.call("journal_open", { directory: "/etc" }), "EACCES", below);
      await refused(client.call("sh", { command: "cat /private/key" }), "EPERM", /sh could reach others; to allow it/);
      await refused(
        client.call("blockdev_getsize64", { device: "/dev/null" }),
        "EPERM",
        /devices need a place in paths\.allow/,
      );
      assert.equal(readFileSync(join(daemon.sysroot, "etc/secret/key"), "utf8"), "etc/secret/key");
      await client.call("mv", { src: "/open/file", dest: "/open/moved" });
    });
  });

  test("nor by a path that begins like a device's", async () => {
    await using daemon = await startLive(deny);
    fill(daemon.sysroot);
    const outside = join(folder, "outside");
    writeFileSync(outside, "outside");
    const denied = /refused by the policy of this machine: nothing below \S+ may be used/;
    await withClient(daemon, async (client) => {
      for (const name of ["checksum", "head", "strings", "pread", "grep", "is_zero", "zfile"]) {
        const more = { csumtype: "md5", count: 10, offset: 0, regex: ".", meth: "gzip" };
        await refused(client.call(name, { ...more, path: "/dev/../private/key" }), "EACCES", denied);
        await refused(client.call(name, { ...more, path: `/dev/../..${outside}` }), "ENOENT", /No such file/);
      }
      mkdirSync(join(daemon.sysroot, "proc"));
      writeFileSync(join(daemon.sysroot, "proc/kcore"), "memory");
      await refused(client.call("checksum", { csumtype: "md5", path: "/proc/kcore" }), "EACCES", /paths\.allow/);
      await refused(client.call("cp", { src: "/dev/../private/key", dest: "/open/copy" }), "EACCES", denied);
      await refused(client.call("equal", { file1: "/dev/../private/key", file2: "/open/file" }), "EACCES", denied);
      await assert.rejects(client.download("base64_out", { filename: "/dev/../private/key" }), denied);
    });
  });

  test("nor by a device, an option of a mount, or what follows symlinks by itself", { skip: !root }, async () => {
    await using daemon = await startLive({
      paths: { allow: ["/open", "/dev/null"] },
    });
    fill(daemon.sysroot);
    const node = (path: string): unknown => execFileSync("mknod", [join(daemon.sysroot, path), "b", "7", "255"]);
    node("open/node");
    node("dev/node");
    const place = /where paths are limited, a device is used by its name in \/dev/;
    const reaches = /could reach others; to allow it/;
    await withClient(daemon, async (client) => {
      await refused(client.call("checksum", { csumtype: "md5", path: "/open/node" }), "EACCES", place);
      await refused(client.call("swapon_file", { file: "/open/node" }), "EACCES", place);
      assert.equal(await client.call("is_blockdev", { path: "/open/node" }), true);
      await refused(
        client.call("mknod_b", { mode: 0o600, devmajor: 7, devminor: 0, path: "/open/made" }),
        "EPERM",
        reaches,
      );
      const options = { options: "bind", vfstype: "overlay", mountable: "/dev/null", mountpoint: "/open" };
      await refused(client.call("mount_options", options), "EPERM", reaches);
      await refused(client.call("mount_vfs", options), "EPERM", reaches);
      await refused(client.call("aug_init", { root: "/open", flags: 32 }), "EPERM", reaches);
    });
  });

  test("a device is what its name leads to", { skip: !root }, async () => {
    const links = mkdtempSync("/dev/shm/guestfsd-test-");
    try {
      symlinkSync("/dev/null", join(links, "link"));
      symlinkSync("/dev/zero", join(links, "not"));
      const paths = { allow: [links], deny: [join(links, "not")] };
      await using daemon = await startLive({ paths });
      const device = /devices need a place in paths\.allow/;
      const ask = (client: RawClient, name: string): Promise<unknown> =>
        client.call("blockdev_getsize64", { device: name });
      await withClient(daemon, async (client) => {
        await assert.rejects(ask(client, join(links, "link")), (error) => !device.test(String(error)));
        for (const name of ["/dev/null", `${links}/../../null`, join(links, "not"), `${links}/../../..${folder}`])
          await refused(ask(client, name), "EPERM", device);
      });
    } finally {
      rmSync(links, { recursive: true });
    }
  });

  test("what is denied has more than one name", async () => {
    await using daemon = await startLive({ paths: { deny: ["/link/secret", "/open/absolute"] } });
    fill(daemon.sysroot);
    symlinkSync("etc", join(daemon.sysroot, "link"));
    const denied = /nothing below \/(?:link\/secret|open\/absolute) may be used/;
    await withClient(daemon, async (client) => {
      await refused(client.call("checksum", { csumtype: "md5", path: "/etc/secret/key" }), "EACCES", denied);
      await refused(client.call("rm", { path: "/etc/secret/key" }), "EACCES", denied);
      await refused(client.call("rm", { path: "/open/absolute" }), "EACCES", denied);
      await refused(client.call("rm_rf", { path: "/etc" }), "EACCES", /\/link\/secret is below it/);
      await client.call("rm", { path: "/open/chain1" });
      await client.call("checksum", { csumtype: "md5", path: "/private/key" });
    });
  });

  test("a whole tree is what is opened, not what the path led to before", async () => {
    await using daemon = await startLive(deny);
    fill(daemon.sysroot);
    const link = join(daemon.sysroot, "open/flips");
    const next = join(daemon.sysroot, "open/next");
    let leaked = 0;
    await withClient(daemon, async (client) => {
      let to = "/etc";
      const flips = setInterval(() => {
        to = to === "/etc" ? "/open" : "/etc";
        symlinkSync(to, next);
        renameSync(next, link);
      }, 0);
      for (let i = 0; i < 50; i++) {
        const archive = await client.download("tar_out", { directory: "/open/flips" }).catch(() => Buffer.alloc(0));
        if (archive.includes("./secret/key")) leaked++;
      }
      clearInterval(flips);
    });
    assert.equal(leaked, 0);
  });

  test("the policy itself is read, and not changed", { skip: !root }, async () => {
    const policy = { paths: { deny: ["/private"] } };
    writeFileSync(policyFile, JSON.stringify(policy));
    const guard = new CallGuard(loadPolicy(policyFile), join(folder, "run"));
    const sysroot = new Sysroot("/", guard.paths);
    const row = (name: string): Procedure => procedureByName.get(name) as Procedure;
    const write = { path: policyFile, content: Buffer.from("{}") };
    guard.checkCall(row("internal_write"), write, sysroot);
    assert.throws(() => sysroot.open(policyFile, constants.O_WRONLY), /nothing below \S+policy\.json may be used/);
    assert.throws(() => guard.checkCall(row("rm_rf"), { path: folder }, sysroot), /policy\.json is below it/);
    guard.checkCall(row("checksum"), { csumtype: "md5", path: policyFile }, sysroot);
    closeSync(sysroot.open(policyFile, constants.O_RDONLY));
  });

  test("where some are allowed, nothing else is", async () => {
    await using daemon = await startLive({ paths: { allow: ["/open", "/dev/null"], deny: ["/open/not"] } });
    fill(daemon.sysroot);
    mkdirSync(join(daemon.sysroot, "open/not"));
    const only = /only what is below \/open, \/dev\/null may be used/;
    await withClient(daemon, async (client) => {
      await client.call("mkdir", { path: "/open/made" });
      await client.call("internal_write", { path: "/open/made/file", content: Buffer.from("x") });
      await client.call("cp", { src: "/open/file", dest: "/open/made/copy" });
      assert.equal(await client.call("readlink", { path: "/open/dangling" }), "/private/new");
      await refused(client.call("internal_readdir", { dir: "/" }), "EACCES", only);
      await refused(client.call("mkdir", { path: "/opened" }), "EACCES", only);
      await refused(client.call("cp", { src: "/open/file", dest: "/copy" }), "EACCES", only);
      await refused(client.call("checksum", { csumtype: "md5", path: "/open/chain1" }), "EACCES", only);
      await refused(client.call("mkdir", { path: "/open/not/made" }), "EACCES", /nothing below \/open\/not/);
      await refused(client.call("rm_rf", { path: "/open" }), "EACCES", /\/open\/not is below it/);
    });
  });
});

describe("a client that asks for less", () => {
  test("opens no pipe and no character device, which might do something", { skip: !root }, async () => {
    await using daemon = await startLive({ mode: "read-only" });
    execFileSync("mkfifo", [join(daemon.sysroot, "fifo")]);
    execFileSync("mknod", [join(daemon.sysroot, "node"), "c", "1", "3"]);
    const opened = /to open a pipe or a character device may change something/;
    await withClient(daemon, async (client) => {
      for (const path of ["/fifo", "/node"])
        await refused(client.call("checksum", { csumtype: "md5", path }), "EACCES", opened);
      await assert.rejects(client.download("download", { remotefilename: "/dev/ptmx" }), opened);
      assert.equal(await client.call("is_fifo", { path: "/fifo" }), true);
    });
  });

  test("gets less, until it goes; it can't take that back", async () => {
    await using daemon = await startLive();
    await withClient(daemon, async (client) => {
      await client.call("mkdir", { path: "/before" });
      await client.call("extension_restrict", { readonly: true });
      const readOnly = /^refused: this client asked to be kept from changing anything/;
      await refused(client.call("mkdir", { path: "/after" }), "EROFS", readOnly);
      await client.call("extension_restrict", { readonly: false });
      await refused(client.call("rm", { path: "/before" }), "EROFS", readOnly);
      assert.match(String(await client.call("extension_daemon_status")), /"mode":"read-only"/);
    });
    await withClient(daemon, (client) => client.call("mkdir", { path: "/after" }));
  });

  test("leaves no trace in any file's times", async () => {
    await using daemon = await startLive();
    const { sysroot } = daemon;
    mkdirSync(join(sysroot, "folder"));
    writeFileSync(join(sysroot, "folder/file"), "words\n".repeat(1000));
    symlinkSync("folder/file", join(sysroot, "link"));
    for (const path of ["", "folder", "folder/file"]) utimesSync(join(sysroot, path), 1000, 2000);
    const times = (): string[] =>
      ["", "folder", "folder/file", "link"].map((path) => {
        const { atimeNs, mtimeNs, ctimeNs } = lstatSync(join(sysroot, path), { bigint: true });
        // Only root can have mounts that keep no times of access for the programs that the daemon runs.
        return `${path}: ${root ? atimeNs : "any"} ${mtimeNs} ${ctimeNs}`;
      });
    const before = times();
    await withClient(daemon, async (client) => {
      await client.call("extension_restrict", { readonly: true });
      await client.download("internal_readdir", { dir: "/" });
      await client.download("download", { remotefilename: "/link" });
      await client.download("tar_out", { directory: "/" });
      await client.download("find0", { directory: "/" });
      await client.call("grep", { regex: "words", path: "/folder/file" });
      await client.call("glob_expand", { pattern: "/*/*" });
      await client.call("checksum", { csumtype: "md5", path: "/folder/file" });
      if (root) await client.call("readlink", { path: "/link" });
      await client.call("du", { path: "/" });
    });
    assert.deepEqual(times(), before);
  });
});

describe("the log", () => {
  /** What the log tells of what a client does. */
  const linesOf = async (daemon: OwnDaemon, use: (client: RawClient) => Promise<unknown>): Promise<string[]> => {
    await withClient(daemon, async (client) => {
      await use(client);
      await client.call("mkdir", { path: "/the last" });
    });
    await until(() => daemon.log().endsWith('mkdir path="/the last": done\n'));
    const lines = daemon.log().split("\n").slice(0, -2);
    return lines.map((line) => line.replace(/^<5>client 1 \(.*?\): /, ""));
  };
  const whyNoPrograms = !root
    ? "a program of the tree needs root"
    : !existsSync("/bin/busybox") && "there is no busybox";

  test("tells each change with who, what and the result, and no content or secret", async () => {
    await using daemon = await startLive();
    await withClient(daemon, async (client) => {
      await client.call("internal_write", { path: "/a\nb", content: Buffer.from("hidden content") });
      await client.upload("upload", { remotefilename: "/c" }, Buffer.from("hidden content"));
      await client.call("command", { arguments: ["/bin/true", "--password=hidden"] }).catch(() => undefined);
      await client.call("setxattr", { xattr: "user.x", val: "hidden", vallen: 6, path: "/c" }).catch(() => undefined);
      await client.call("mkdir", { path: "/no/where" }).catch(() => undefined);
      await client.call("mkfs", { fstype: "ext4", device: "/dev/null" }).catch(() => undefined);
      await client.call("exists", { path: "/c" });
      await client.call("ping_daemon");
    });
    const lines = daemon.log().trimEnd().split("\n");
    for (const line of lines) assert.match(line, new RegExp(`^<5>client 1 \\(pid ${process.pid}, uid \\d+\\): \\w+`));
    const told = lines.map((line) => line.replace(/^.*?\): /, ""));
    assert.equal(told[0], 'internal_write path="/a\\nb" content=<14 bytes>: done');
    assert.equal(told[1], 'upload remotefilename="/c": done');
    assert.match(told[2] ?? "", /^command arguments=\["\/bin\/true",<1 more>\]: /);
    assert.match(told[3] ?? "", /^setxattr xattr="user.x" val=<6 characters> vallen=6 path="\/c": /);
    assert.equal(told[4], 'mkdir path="/no/where": failed: "/no/where: No such file or directory"');
    assert.match(told[5] ?? "", /^mkfs fstype="ext4" device="\/dev\/null": refused: "refused by the policy/);
    assert.equal(told.length, 6);
    assert.doesNotMatch(daemon.log(), /hidden/);
  });

  test("of what a program or a mount with secrets says, tells how it ended", { skip: whyNoPrograms }, async () => {
    await using daemon = await startLive();
    mkdirSync(join(daemon.sysroot, "bin"));
    copyFileSync("/bin/busybox", join(daemon.sysroot, "bin/busybox"));
    symlinkSync("busybox", join(daemon.sysroot, "bin/sh"));
    const told = await linesOf(daemon, async (client) => {
      await client.call("sh", { command: "echo hidden >&2; exit 3" }).catch(() => undefined);
      await client
        .call("command", { arguments: ["/bin/sh", "-c", "echo hidden >&2; kill -9 $$"] })
        .catch(() => undefined);
      const options = 'ro,user=hidden,password=hid,,hidden,context="hidden,hidden"';
      const mount = { options, vfstype: "none", mountable: "/dev/null", mountpoint: "/bin" };
      await client.call("mount_vfs", mount).catch(() => undefined);
      await client.call("mkdir", { path: "/rsync://me:hidden@127.0.0.1:1/x" }).catch(() => undefined);
    });
    assert.equal(told[0], "sh command=<23 characters>: failed: status 3");
    assert.equal(told[1], 'command arguments=["/bin/sh",<2 more>]: failed: signal 9');
    assert.match(
      told[2] ?? "",
      /^mount_vfs options="ro,user=...,password=...,context=..." vfstype="none" .*: failed: E[A-Z]+$/,
    );
    assert.match(told[3] ?? "", /^mkdir path="\/rsync:\/\/me:...@127.0.0.1:1\/x": failed: /);
    assert.doesNotMatch(daemon.log(), /hid/);
  });

  test("tells each refusal, of reading as well, and counts it as that", async () => {
    await using daemon = await startLive({ calls: { deny: ["grep"] }, paths: { deny: ["/private"] } });
    mkdirSync(join(daemon.sysroot, "private"));
    writeFileSync(join(daemon.sysroot, "private/key"), "");
    const told = await linesOf(daemon, async (client) => {
      const path = "/private/key";
      for (const [name, args] of [
        ["grep", { regex: "hidden", path: "/x" }],
        ["checksum", { csumtype: "md5", path }],
        ["internal_write", { path, content: Buffer.from("hidden") }],
        ["checksum", { csumtype: "md5", path: "/none" }],
        ["mkdir", { path: "relative" }],
      ] as const)
        await assert.rejects(client.call(name, args), ReplyError);
      const { client: record } = JSON.parse(String(await client.call("extension_daemon_status"))) as {
        client: { changes: number; refused: number };
      };
      assert.equal(record.refused, 3);
      assert.equal(record.changes, 0);
    });
    assert.match(told[0] ?? "", /^grep regex=<6 characters> path="\/x": refused: "refused by the policy/);
    assert.match(told[1] ?? "", /^checksum csumtype="md5" path="\/private\/key": refused: "\/private\/key: refused by/);
    assert.match(told[2] ?? "", /^internal_write path="\/private\/key" content=<6 bytes>: refused: "/);
    assert.match(told[3] ?? "", /^mkdir path="relative": failed: "/);
    assert.equal(told.length, 4);
  });

  test("has no character that a terminal would act on", async () => {
    await using daemon = await startLive();
    const told = await linesOf(daemon, async (client) => {
      await client.call("mkdir", { path: "/a\u009b31m\u2028\u202e\u007f\u{e0001}\u00e4" });
    });
    assert.deepEqual(told, ['mkdir path="/a\\u009b31m\\u2028\\u202e\\u007f\\udb40\\udc01\u00e4": done']);
  });
});

describe("clients that come and go", () => {
  test("the daemon tells of itself and of the client before", async () => {
    await using daemon = await startLive();
    await withClient(daemon, (client) => client.call("mkdir", { path: "/a" }));
    await withClient(daemon, async (client) => {
      const status = JSON.parse(String(await client.call("extension_daemon_status"))) as {
        version: string;
        mode: string;
        clients: number;
        lastClient: { who: string; changes: number };
      };
      assert.match(status.version, /^\d+\.\d+\.\d+$/);
      assert.equal(status.mode, "read-write");
      assert.equal(status.clients, 2);
      assert.equal(status.lastClient.changes, 1);
      assert.match(status.lastClient.who, /^pid \d+, uid \d+$/);
    });
  });

  test("a mask for new files goes with the client that set it", async () => {
    await using daemon = await startLive();
    await withClient(daemon, async (client) => {
      assert.equal(await client.call("umask", { mask: 0o77 }), 0o22);
      assert.equal(await client.call("umask", { mask: 0 }), 0o77);
      assert.equal(await client.call("get_umask"), 0);
    });
    await withClient(daemon, async (client) => {
      assert.equal(await client.call("get_umask"), 0o22);
      await client.call("internal_write", { path: "/file", content: Buffer.from("x") });
    });
    assert.equal(lstatSync(join(daemon.sysroot, "file")).mode & 0o777, 0o644);
  });

  test("one that calls during another's call ends that call, and its program", async () => {
    await using daemon = await startLive({ calls: { allow: ["debug"] } });
    await withClient(daemon, async (client) => {
      client.send(client.encodeCall("debug", { subcmd: "sh", extraargs: ["exec sleep 98765"] }));
      const sleeping = (): boolean =>
        readdirSync("/proc").some((pid) => {
          try {
            return readFileSync(`/proc/${pid}/cmdline`, "latin1") === "sleep\u000098765\0";
          } catch {
            return false;
          }
        });
      await until(sleeping);
      client.send(client.encodeCall("ping_daemon"));
      await until(() => !sleeping());
      assert.equal(await client.frame(), undefined);
    });
  });

  test("attaches by the thousand leave nothing behind", async () => {
    await using daemon = await startLive();
    const attach = async (): Promise<void> => {
      await withClient(daemon, async (client) => {
        await client.call("extension_restrict", { readonly: true });
        await client.call("exists", { path: "/x" });
      });
    };
    const cost = async (): Promise<{ descriptors: number; memory: number; children: string }> =>
      withClient(daemon, async (client) => {
        await client.call("ping_daemon");
        const { pid } = daemon;
        return {
          descriptors: readdirSync(`/proc/${pid}/fd`).length,
          memory: Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]),
          children: readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8"),
        };
      });
    for (let i = 0; i < 500; i++) await attach();
    const before = await cost();
    const count = Number(process.env.GUESTFSD_ATTACHES ?? 3000);
    for (let i = 0; i < count; i++) await attach();
    const afterwards = await cost();
    console.log(`# ${count} attaches: ${before.memory} kB before, ${afterwards.memory} kB after`);
    assert.equal(afterwards.descriptors, before.descriptors);
    assert.equal(afterwards.children, "");
    assert.ok(afterwards.memory - before.memory < 32 * 1024, `grew from ${before.memory} to ${afterwards.memory} kB`);
  });
});
