// The cache folder when it is full, can't be written, or holds a template that was cut somewhere: a working launch, or
// a LaunchError that names the cause.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  utimesSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { Guestfs, LaunchError } from "guestfs";

const folder = mkdtempSync(join(tmpdir(), "guestfs-cache-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const rootOnly = process.geteuid?.() === 0 ? false : "only root can mount a small or read-only file system";

interface Started {
  /** `undefined`: it works. */
  readonly error: LaunchError | undefined;
  readonly said: string;
}

/** Launches with a cache, and looks whether it works. */
async function start(cache: string): Promise<Started> {
  const said: string[] = [];
  await using g = new Guestfs();
  g.on("library", ({ message }) => void said.push(message));
  g.on("appliance", () => undefined);
  g.setVerbose(true);
  g.setCachedir(cache);
  await g.addDriveScratch(1024 ** 2);
  try {
    await g.launch();
  } catch (error) {
    assert.ok(error instanceof LaunchError, String(error));
    return { error, said: said.join("\n") };
  }
  assert.deepEqual(await g.listDevices(), ["/dev/sda"]);
  const pid = g.getPid();
  await g.close();
  assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  return { error: undefined, said: said.join("\n") };
}

let since = 0;

/** A copy of what the user's cache has for this test's launches, but for the template, which is good for its place only. */
function copyCache(target: string): void {
  mkdirSync(join(target, "appliance"), { recursive: true, mode: 0o700 });
  const own = join(new Guestfs().getCachedir(), "appliance");
  const wanted = /^(?:root|system)-[0-9a-f]+$/;
  for (const name of readdirSync(own)) {
    // Another program may clear up there meanwhile.
    const info = statSync(join(own, name), { throwIfNoEntry: false });
    if (!info) continue;
    if (
      !(info.isFile() && info.size > 0 && !name.endsWith("failed.json")) &&
      !(wanted.test(name) && info.mtimeMs > since)
    )
      continue;
    // Without holes: to read one through a mapping takes room on a tmpfs, and there may be none.
    execFileSync("cp", ["-a", "--sparse=never", "--reflink=auto", join(own, name), join(target, "appliance")]);
  }
}

const templatesOf = (cache: string): string[] =>
  readdirSync(join(cache, "appliance")).filter((name) => /^template-[0-9a-f]+$/.test(name));

before(async () => {
  // What it uses is marked as used now, and what another takes from there goes by that.
  since = Date.now() - 2000;
  const { error } = await start(new Guestfs().getCachedir());
  assert.equal(error, undefined);
});

test("an image that was built again: the template of the one before is not restored", async () => {
  const cache = mkdtempSync(join(folder, "rebuilt-"));
  copyCache(cache);
  assert.match((await start(cache)).said, /saving a template/);
  const system = readdirSync(join(cache, "appliance")).find((name) => name.startsWith("system-"))!;
  rmSync(join(cache, "appliance", system), { recursive: true });
  const { error, said } = await start(cache);
  assert.equal(error, undefined, error?.message);
  assert.match(said, /building the system image/);
  assert.match(said, /saving a template/);
  assert.ok(existsSync(join(cache, "appliance", system)), "under the same name");
});

describe("a cache folder on a file system of its own", { skip: rootOnly }, () => {
  let place = "";
  const mount = (...options: string[]): void => void execFileSync("mount", [...options, place]);
  const leave = (bytes: number): void => {
    const { blocks, bavail, bsize } = statfsSync(place);
    mount("-o", `remount,size=${(blocks - bavail) * bsize + bytes}`);
  };
  beforeEach((t) => {
    place = mkdtempSync(join(folder, "mount-"));
    if ("after" in t) t.after(() => execFileSync("umount", ["-l", place]));
  });

  test("that has no room for a template: booted in the same call, and why is told", async () => {
    mount("-t", "tmpfs", "-o", "size=4g", "none");
    copyCache(place);
    leave(300 * 1024 ** 2);
    const { error, said } = await start(place);
    assert.equal(error, undefined);
    assert.match(said, /a template needs 400 MiB, and \S+ has \d+ MiB left/);
    assert.deepEqual(templatesOf(place), []);
    assert.deepEqual(
      readdirSync(join(place, "appliance")).filter((name) => name.startsWith("saving-")),
      [],
    );
  });

  test("that becomes full while a template is saved", async () => {
    mount("-t", "tmpfs", "-o", "size=4g", "none");
    copyCache(place);
    leave(450 * 1024 ** 2);
    // The rest goes while the machine boots.
    const filler = join(place, "filler");
    const saving = start(place);
    const isSaving = (): boolean => readdirSync(join(place, "appliance")).some((name) => name.startsWith("saving-"));
    while (!isSaving()) await new Promise((resolve) => setTimeout(resolve, 10));
    // It writes until there is no room, and fails then.
    assert.throws(() => execFileSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=1M"], { stdio: "ignore" }));
    const { error, said } = await saving;
    assert.equal(error, undefined, error?.message);
    assert.match(said, /no template: /);
    assert.deepEqual(templatesOf(place), []);
    rmSync(filler);
  });

  test("that has no room for anything: a LaunchError that says so", async () => {
    mount("-t", "tmpfs", "-o", "size=1m", "none");
    const { error } = await start(place);
    assert.match(error?.message ?? "", /ENOSPC|no space left/i);
  });

  test("that can't be written, with a template: booted when this QEMU only maps what it could write", async () => {
    mount("-t", "tmpfs", "-o", "size=4g", "none");
    copyCache(place);
    await start(place);
    mount("-o", "remount,ro");
    const { error, said } = await start(place);
    assert.equal(error, undefined, error?.message);
    assert.match(said, /restoring the template/);
    if (said.includes("no template")) assert.match(said, /can't open backing store .* Read-only file system/);
  });

  test("that can't be written, without one: booted; empty: a LaunchError that says so", async () => {
    mount("-t", "tmpfs", "-o", "size=4g", "none");
    copyCache(place);
    mount("-o", "remount,ro");
    const { error, said } = await start(place);
    assert.equal(error, undefined, error?.message);
    assert.match(said, /no template: .*can't be locked\n.*Read-only file system/);
    mount("-o", "remount,rw");
    rmSync(join(place, "appliance"), { recursive: true });
    mount("-o", "remount,ro");
    assert.match((await start(place)).error?.message ?? "", /EROFS|read-only/i);
  });
});

test("a template that was cut at any byte: another is made in the same call", { timeout: 900_000 }, async () => {
  const cache = join(folder, "cut");
  copyCache(cache);
  // The first saves a template, the second has one rehearse.
  await start(cache);
  await start(cache);
  assert.equal(templatesOf(cache).length, 2);
  const saved = join(folder, "saved");
  execFileSync("cp", ["-a", "--sparse=always", "--reflink=auto", join(cache, "appliance"), saved]);
  const cuts = [
    ["template.json", 0],
    ["template.json", 0.5],
    ["state", 0],
    ["state", 0.999_99],
    ["memory", 0],
    ["memory", 0.5],
  ] as const;
  for (const [file, part] of cuts) {
    for (const name of templatesOf(cache)) {
      const path = join(cache, "appliance", name, file);
      const { size, atime, mtime } = statSync(path);
      truncateSync(path, Math.floor(size * part));
      // As if the file system had lost it, not as if someone had written.
      utimesSync(path, atime, mtime);
    }
    const { error, said } = await start(cache);
    assert.equal(error, undefined, `${file} ${part}: ${error?.message}`);
    assert.match(said, /the template can't be used: /, `${file} ${part}`);
    assert.match(said, /saving a template/, `${file} ${part}`);
    for (const name of templatesOf(cache)) rmSync(join(cache, "appliance", name), { recursive: true });
    execFileSync("cp", ["-a", "--sparse=always", "--reflink=auto", `${saved}/.`, join(cache, "appliance")]);
  }
  // What is not looked at before: a scratch disk that is gone matters to none but a pool.
  for (const name of templatesOf(cache)) truncateSync(join(cache, "appliance", name, "scratch"), 0);
  assert.equal((await start(cache)).error, undefined);
});
