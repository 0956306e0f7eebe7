import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { ApplianceError } from "./appliance-error.ts";
import { compareReleases, findKernel } from "./kernel.ts";

async function host(
  t: TestContext,
  images: readonly string[],
  modules: readonly string[],
): Promise<{ boot: string; modules: string }> {
  const folder = await mkdtemp(join(tmpdir(), "kernel-"));
  t.after(() => rm(folder, { recursive: true }));
  const folders = { boot: join(folder, "boot"), modules: join(folder, "modules") };
  await mkdir(folders.boot);
  for (const version of images) await writeFile(join(folders.boot, `vmlinuz-${version}`), version);
  for (const version of modules) {
    await mkdir(join(folders.modules, version), { recursive: true });
    await writeFile(join(folders.modules, version, "modules.dep"), "");
  }
  return folders;
}

test("releases in order", () => {
  const ordered = [
    "5.10.0-9-amd64",
    "5.10.0-30-amd64",
    "6.1.0-9-amd64",
    "6.1.0-18-amd64",
    "6.1.0-18-cloud-amd64",
    "6.12.1",
  ];
  assert.deepEqual([...ordered].reverse().sort(compareReleases), ordered);
});

test("the newest kernel that has modules", async (t) => {
  const folders = await host(
    t,
    ["6.1.0-9-amd64", "6.1.0-18-amd64", "6.5.0-1-amd64"],
    ["6.1.0-9-amd64", "6.1.0-18-amd64"],
  );
  assert.equal(findKernel(folders).version, "6.1.0-18-amd64");
});

test("no kernel: the error names the command", async (t) => {
  for (const images of [[], ["6.1.0-9-amd64"]]) {
    const folders = await host(t, images, []);
    assert.throws(
      () => findKernel(folders),
      (error) => {
        assert.ok(error instanceof ApplianceError);
        assert.equal(error.stage, "host");
        assert.equal(error.fix, "sudo apt-get install linux-image-amd64");
        assert.match(error.message, /To fix it: sudo apt-get install linux-image-amd64/);
        return true;
      },
    );
  }
});

const isRoot = process.getuid?.() === 0;

test(
  "an unreadable kernel: the error names the command",
  { skip: isRoot ? "root can read every file" : false },
  async (t) => {
    const folders = await host(t, ["6.1.0-9-amd64"], ["6.1.0-9-amd64"]);
    const image = join(folders.boot, "vmlinuz-6.1.0-9-amd64");
    await chmod(image, 0o000);
    assert.throws(
      () => findKernel(folders),
      (error) => {
        assert.ok(error instanceof ApplianceError);
        assert.equal(error.fix, `sudo chmod 0644 ${image}`);
        return true;
      },
    );
  },
);
