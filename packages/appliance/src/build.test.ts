import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { findProgram } from "@guestfs/qemu";
import { buildAppliance, removeDamaged } from "./build.ts";
import { recordFiles } from "./file-record.ts";
import { factsOf, findSource, neededPrograms } from "./host-source.ts";
import { planAppliance } from "./plan.ts";

const folder = await mkdtemp(join(tmpdir(), "build-test-"));
after(() => rm(folder, { recursive: true }));
const daemonBundle = fileURLToPath(new URL("../fixtures/stand-in-daemon", import.meta.url));
const source = await findSource().catch(() => undefined);
const skip = source === undefined && "this host has no kernel or no busybox to build from";

/** A cache with an appliance of older package lists; its files are words. */
async function cacheWith(name: string): Promise<string> {
  assert.ok(source);
  const cacheDir = join(folder, name);
  const plan = planAppliance(factsOf(source, daemonBundle));
  const store = join(cacheDir, "appliance");
  await mkdir(store, { recursive: true, mode: 0o700 });
  await mkdir(join(cacheDir, "bin"));
  for (const [each, files] of [
    ["root-00", ["root.erofs"]],
    [`system-${plan.system.digest}`, ["kernel", "initrd", "system.erofs"]],
  ] as const) {
    await mkdir(join(store, each));
    for (const file of files) await writeFile(join(store, each, file), file);
    await recordFiles(join(store, each));
  }
  const record = { aptStamp: "older", packages: [], folder: "root-00" };
  await writeFile(join(store, `root-${plan.root.digest}.json`), JSON.stringify(record));
  return cacheDir;
}

/** Builds with nothing on PATH but programs that are linked, and an apt-get that is a line of shell. */
async function build(cacheDir: string, programs: readonly string[], apt?: string): Promise<string[]> {
  const bin = join(cacheDir, "bin");
  for (const name of programs) await symlink(await findProgram(name), join(bin, name));
  if (apt !== undefined) await writeFile(join(bin, "apt-get"), `#!/bin/sh\n${apt}\n`, { mode: 0o755 });
  const path = process.env["PATH"];
  const said: string[] = [];
  process.env["PATH"] = bin;
  try {
    const options = { cacheDir, daemonBundle, onDebug: (line: string) => said.push(line) };
    const first = await buildAppliance(options);
    const before = said.length;
    assert.deepEqual(await buildAppliance(options), first);
    assert.equal(said.length, before, "it is not tried again at once");
  } finally {
    process.env["PATH"] = path;
  }
  return said;
}

test("an appliance that is there is kept when a newer one can't be built", { skip }, async () => {
  const noPrograms = await build(await cacheWith("programs"), ["busybox", "flock", "setpriv"]);
  assert.match(noPrograms.join("\n"), /keeping .*needs the program/);
  const programs = [...neededPrograms.filter((name) => name !== "apt-get"), "setpriv", "sh"];
  const noLists = await build(await cacheWith("lists"), programs, "echo broken >&2; exit 100");
  assert.match(noLists.join("\n"), /keeping .*can't work out[^]*broken/);
  const offline = `case "$*" in *" download "*) echo no network >&2; exit 100 ;; *) echo "Inst bash (5 x)" ;; esac`;
  const noPackages = await build(await cacheWith("offline"), programs, offline);
  assert.match(noPackages.join("\n"), /keeping .*can't be downloaded[^]*no network/);
});

test("damaged parts are removed, and sizes are looked at each time", { skip }, async () => {
  const cacheDir = await cacheWith("damaged");
  const store = join(cacheDir, "appliance");
  const [system = ""] = (await readdir(store)).filter((name) => name.startsWith("system-"));
  const files = { kernel: join(store, system, "kernel"), initrd: join(store, system, "initrd") };
  const built = {
    ...files,
    rootImage: join(store, "root-00", "root.erofs"),
    systemImage: join(store, system, "system.erofs"),
    kernelVersion: "",
    digest: "",
  };
  assert.equal(await removeDamaged(built), false);
  await writeFile(built.rootImage, "ROOT.erofs");
  assert.equal(await removeDamaged(built), true);
  assert.deepEqual(
    (await readdir(store)).filter((name) => /^(root|system)-\w+$/.test(name)),
    [system],
  );
  const other = await cacheWith("cut");
  await truncate(join(other, "appliance", system, "system.erofs"), 3);
  await assert.rejects(build(other, ["busybox", "flock", "setpriv"]), /needs the program/);
});
