import assert from "node:assert/strict";
import { homedir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Guestfs, GuestfsPool } from "./index.ts";
import { Settings } from "./settings.ts";

test("defaults", async () => {
  await using g = new Guestfs({ environment: false });
  assert.equal(g.getMemsize(), 1280);
  assert.equal(g.getSmp(), 1);
  assert.equal(g.getAutosync(), true);
  assert.equal(g.getBackend(), "direct");
  assert.equal(g.getAttachMethod(), "appliance");
  assert.equal(g.getAppend(), null);
  assert.equal(g.getState(), 0);
  assert.deepEqual(g.version(), { major: 1, minor: 60, release: 1, extra: "" });
  assert.equal(g.maxDisks(), 255);
});

test("what is set is got back", async () => {
  await using g = new Guestfs({ environment: false });
  g.setMemsize(2048);
  g.setSmp(4);
  g.setAppend("x=1");
  g.setHv("/bin/qemu");
  g.setTmpdir("/var/tmp");
  g.setCachedir("/var/cache");
  g.setPath("/a:/b");
  g.setNetwork(true);
  g.setVerbose(true);
  assert.deepEqual(
    [
      g.getMemsize(),
      g.getSmp(),
      g.getAppend(),
      g.getHv(),
      g.getQemu(),
      g.getTmpdir(),
      g.getCachedir(),
      g.getPath(),
      g.getNetwork(),
      g.getVerbose(),
    ],
    [2048, 4, "x=1", "/bin/qemu", "/bin/qemu", "/var/tmp", "/var/cache", "/a:/b", true, true],
  );
  g.setVerbose(false);
});

test("values that make no sense", async () => {
  await using g = new Guestfs({ environment: false });
  assert.throws(() => g.setMemsize(255), {
    name: "RangeError",
    message: "set_memsize: memsize: 255 is not an integer from 256 to 2147483647",
  });
  assert.throws(() => g.setMemsize("512" as never), {
    name: "TypeError",
    message: "set_memsize: memsize: must be a number, not string",
  });
  assert.throws(() => g.setSmp(0), RangeError);
  assert.throws(() => g.setSmp(256), RangeError);
  assert.throws(() => g.setIdentifier("a b"), RangeError);
  assert.throws(() => g.setBackend("vmware"), /set_backend: backend: "vmware" is none of/);
  assert.throws(() => g.setBackend("unix:"), RangeError);
  assert.throws(() => g.config("drive", null), RangeError);
  for (const name of ["-kernel", "-serial", "--display"])
    assert.throws(() => g.config(name, "x"), { name: "RangeError", message: /^config: hvparam: \S+ is not allowed/ });
  assert.throws(() => new Guestfs({ launchTimeout: 0 }), RangeError);
});

test("the backend has two names", async () => {
  await using g = new Guestfs({ environment: false });
  g.setBackend("unix:/s");
  assert.equal(g.getAttachMethod(), "unix:/s");
  g.setAttachMethod("appliance");
  assert.equal(g.getBackend(), "direct");
  g.setBackend("libvirt:qemu:///session");
  assert.equal(g.getBackend(), "libvirt:qemu:///session");
});

test("backend settings", async () => {
  await using g = new Guestfs({ environment: false });
  assert.throws(() => g.getBackendSetting("force_tcg"), {
    message: "get_backend_setting: the setting force_tcg was not made",
    errno: "ESRCH",
  });
  g.setBackendSettings(["force_tcg", "gdb=yes", "gdb=no"]);
  assert.equal(g.getBackendSetting("force_tcg"), "1");
  assert.equal(g.getBackendSetting("gdb"), "yes");
  assert.equal(g.clearBackendSetting("gdb"), 2);
  g.setBackendSetting("force_tcg", "0");
  assert.deepEqual(g.getBackendSettings(), ["force_tcg=0"]);
});

test("backend settings without effect are told", async () => {
  await using g = new Guestfs({ environment: false });
  const warnings: string[] = [];
  g.on("warning", ({ message }) => warnings.push(message));
  g.setBackendSettings(["force_tcg", "template=0"]);
  assert.deepEqual(warnings, []);
  g.setBackendSetting("force_tgc", "1");
  assert.match(
    warnings.join("\n"),
    /^the backend setting force_tgc does nothing here; these do something: .*force_tcg/,
  );
  assert.equal(g.getBackendSetting("force_tgc"), "1");
});

test("options that there are not are refused", () => {
  assert.throws(() => new Guestfs({ poool: 1 } as object), {
    name: "TypeError",
    message:
      "Guestfs: unknown option poool; there are environment, launchTimeout, closeTimeout, syncTimeout, closeOnExit, pool",
  });
  assert.throws(() => new GuestfsPool({ size: 1, memsze: 512 } as { size: number }), /unknown option memsze/);
});

test("the environment", async () => {
  await using g = new Guestfs({ environment: false });
  g.parseEnvironmentList([
    "LIBGUESTFS_APPEND=quiet",
    "LIBGUESTFS_BACKEND=unix:/run/s=1",
    "LIBGUESTFS_BACKEND_SETTINGS=a:b=2",
    "LIBGUESTFS_CACHEDIR=/c",
    "LIBGUESTFS_DEBUG=On",
    "LIBGUESTFS_HV=/hv",
    "LIBGUESTFS_MEMSIZE=700",
    "LIBGUESTFS_PATH=/p",
    "LIBGUESTFS_TMPDIR=/t",
    "LIBGUESTFS_TRACE=no",
    "OTHER=1",
  ]);
  assert.deepEqual(
    [
      g.getAppend(),
      g.getBackend(),
      g.getBackendSettings(),
      g.getCachedir(),
      g.getVerbose(),
      g.getHv(),
      g.getMemsize(),
      g.getPath(),
      g.getTmpdir(),
      g.getTrace(),
    ],
    ["quiet", "unix:/run/s=1", ["a", "b=2"], "/c", true, "/hv", 700, "/p", "/t", false],
  );
  g.setVerbose(false);
  g.parseEnvironmentList(["LIBGUESTFS_QEMU=/old", "LIBGUESTFS_ATTACH_METHOD=appliance"]);
  assert.equal(g.getHv(), "/old");
  assert.equal(g.getBackend(), "direct");
  assert.throws(
    () => g.parseEnvironmentList(["LIBGUESTFS_TRACE=maybe"]),
    /LIBGUESTFS_TRACE: "maybe" is neither true nor false/,
  );
  assert.throws(() => g.parseEnvironmentList(["LIBGUESTFS_MEMSIZE=much"]), RangeError);
});

test("the constructor reads the process's environment unless told not to", async (t) => {
  const before = process.env.LIBGUESTFS_MEMSIZE;
  t.after(() => {
    if (before === undefined) delete process.env.LIBGUESTFS_MEMSIZE;
    else process.env.LIBGUESTFS_MEMSIZE = before;
  });
  process.env.LIBGUESTFS_MEMSIZE = "777";
  await using with_ = new Guestfs();
  await using without = new Guestfs({ environment: false });
  assert.equal(with_.getMemsize(), 777);
  assert.equal(without.getMemsize(), 1280);
});

test("a folder for caches that is relative is no folder", () => {
  const cachedir = (folder: string): string => new Settings({ XDG_CACHE_HOME: folder }).cachedir;
  assert.equal(cachedir("/caches"), "/caches/guestfs");
  assert.equal(cachedir("caches"), join(homedir(), ".cache/guestfs"));
});
