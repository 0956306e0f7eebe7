import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { RawClient, ReplyError, startOwnDaemon } from "@guestfs/testkit";
import type { OwnDaemon } from "@guestfs/testkit";

const reason = process.geteuid?.() === 0 ? undefined : "a program in a tree of its own needs root";
let daemon: OwnDaemon;
let client: RawClient;

before(async () => {
  daemon = await startOwnDaemon();
  client = await RawClient.connect(daemon.socketPath);
  for (const folder of ["bin", "proc", "sys", "etc"]) mkdirSync(join(daemon.sysroot, folder));
  // A folder outside of the tree is not what the guest's /dev may be.
  symlinkSync("/tmp", join(daemon.sysroot, "dev"));
  for (const program of ["/bin/sh", "/bin/cat", "/bin/sleep"]) {
    const libraries = execFileSync("ldd", [program], { encoding: "utf8" }).match(/\/\S+/g) ?? [];
    for (const path of [program, ...libraries]) {
      mkdirSync(join(daemon.sysroot, dirname(path)), { recursive: true });
      cpSync(realpathSync(path), join(daemon.sysroot, path));
    }
  }
});

after(async () => {
  client.close();
  await daemon.stop();
});

const mounts = (): string => readFileSync(`/proc/${daemon.pid}/mounts`, "utf8");

test("programs run with the guest's tree as their root", { skip: reason }, async () => {
  const before = mounts();
  assert.equal(
    await client.call("command", { arguments: ["/bin/sh", "-c", "echo $0; cd /; echo *"] }),
    "/bin/sh\nbin dev etc lib lib64 proc sys\n",
  );
  assert.equal(
    await client.call("sh", { command: "test -e /proc/self/status && echo proc; test -d /sys/kernel && echo sys" }),
    "proc\nsys\n",
  );
  assert.deepEqual(await client.call("sh_lines", { command: "printf 'a\\n\\nb'" }), ["a", "", "b"]);
  assert.deepEqual(await client.call("command_lines", { arguments: ["cat", "/proc/self/comm"] }), ["cat"]);
  assert.equal((await client.download("sh_out", { command: "printf streamed" })).toString(), "streamed");
  assert.equal(mounts(), before);
  assert.equal(realpathSync(`/proc/${daemon.pid}/root`), "/");
});

test("what goes wrong in a program is told, and nothing stays behind", { skip: reason }, async () => {
  const before = mounts();
  const failed = await client
    .call("sh", { command: "echo trouble >&2; exit 3" })
    .catch((error: unknown) => error as ReplyError);
  assert.equal((failed as ReplyError).message, "trouble");
  const absent = await client
    .call("command", { arguments: ["/no/program"] })
    .catch((error: unknown) => error as ReplyError);
  assert.deepEqual(
    [(absent as ReplyError).errno, (absent as ReplyError).message],
    ["ENOENT", "/no/program: No such file or directory"],
  );
  await assert.rejects(client.call("command", { arguments: [] }), ReplyError);
  const large = await client
    .call("sh", {
      command: "cat /proc/self/exe /proc/self/exe; while echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; do :; done",
    })
    .catch((error: unknown) => error as ReplyError);
  assert.match((large as ReplyError).message, /command_out/);
  assert.equal(mounts(), before);
  assert.equal(await client.call("sh", { command: "echo on" }), "on\n");
});

test("a daemon that is live works on the machine itself", async () => {
  await using live = await startOwnDaemon({ args: ["-r", "--sysroot", "/"] });
  const other = await RawClient.connect(live.socketPath);
  const folder = mkdtempSync(join(tmpdir(), "live-"));
  try {
    const path = join(folder, "file");
    await other.call("internal_write", { path, content: new TextEncoder().encode("live\n") });
    assert.equal(readFileSync(path, "utf8"), "live\n");
    assert.equal(await other.call("realpath", { path: join(folder, ".", "file") }), realpathSync(path));
    assert.equal(await other.call("is_file", { path }), true);
    assert.match((await other.call("file", { path })) as string, /ASCII text/);
    assert.equal(await other.call("command", { arguments: ["cat", path] }), "live\n");
    assert.equal(await other.call("sh", { command: `cat ${path}` }), "live\n");
    assert.deepEqual(await other.call("head", { path: "/proc/self/comm" }), ["node"]);
    assert.deepEqual(await other.call("tail", { path: "/proc/self/comm" }), ["node"]);
    await other.call("cp_a", { src: folder, dest: join(folder, "copy") }).catch(() => undefined);
    await other.call("rm_rf", { path: folder });
    assert.equal(await other.call("exists", { path: folder }), false);
    await other.call("internal_autosync");
  } finally {
    other.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the daemon tells about itself", async () => {
  const uname = (await client.call("utsname")) as Record<string, string>;
  assert.equal(uname["uts_release"], execFileSync("uname", ["-r"], { encoding: "utf8" }).trim());
  assert.ok(((await client.call("available_all_groups")) as string[]).includes("lvm2"));
  assert.equal(await client.call("echo_daemon", { words: ["a", "b c"] }), "a b c");
  assert.equal(await client.call("internal_feature_available", { group: "no-such-group" }), 2);
  assert.match((await client.call("debug", { subcmd: "help", extraargs: [] })) as string, /\bprogress\n/);
  assert.equal(await client.call("debug", { subcmd: "sh", extraargs: ["echo", "in", "here"] }), "in here\n");
  await assert.rejects(client.call("debug", { subcmd: "constructor", extraargs: [] }), ReplyError);
});

test("watches tell what happens to files", async () => {
  await assert.rejects(client.call("inotify_read"), ReplyError);
  await client.call("inotify_init", { maxevents: 0 });
  const watch = await client.call("inotify_add_watch", { path: "/etc", mask: 0xfff });
  await client.call("touch", { path: "/etc/b" });
  await client.call("touch", { path: "/etc/a" });
  assert.deepEqual(await client.call("inotify_files"), ["a", "b"]);
  assert.deepEqual(await client.call("inotify_read"), []);
  await client.call("inotify_rm_watch", { wd: watch });
  await client.call("inotify_close");
});

test("the machine's own / is served live only: a client's end would unmount all of it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sysroot-"));
  try {
    symlinkSync("/", join(folder, "link"));
    for (const place of ["/", "//", join(folder, "link")])
      await assert.rejects(startOwnDaemon({ args: ["--sysroot", place] }), /guestfsd: error: --sysroot \/: .*with -r/);
    await assert.rejects(
      startOwnDaemon({ args: ["--sysroot", join(folder, "none")] }),
      /guestfsd: error: --sysroot .*none: ENOENT/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
