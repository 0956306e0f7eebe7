import assert from "node:assert/strict";
import { accessSync, constants } from "node:fs";
import { mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { chooseAccelerator, recordKvmFailure } from "./accelerator.ts";
import { findProgram } from "./owned-process.ts";

test("a choice is made, kept for this boot, and can be unmade", async (t) => {
  const cacheDir = await mkdtemp(join(tmpdir(), "accelerator-"));
  t.after(() => rm(cacheDir, { recursive: true }));
  const options = { qemu: "qemu-system-x86_64", cacheDir };
  const first = await chooseAccelerator(options);
  t.diagnostic(`${first.accelerator}: ${first.reason}`);
  assert.notEqual(first.reason, "");
  const second = await chooseAccelerator(options);
  assert.equal(second.accelerator, first.accelerator);
  if (/\/dev\/kvm/.test(first.reason) && (await readdir(cacheDir)).length === 0) return;
  assert.match(second.reason, /known since earlier/);
  await recordKvmFailure(options, "a guest died");
  assert.deepEqual(await chooseAccelerator(options), {
    accelerator: "tcg",
    reason: "a guest died (known since earlier)",
  });

  const record = JSON.parse(await readFile(join(cacheDir, "kvm.json"), "utf8")) as Record<string, unknown>;
  await writeFile(join(cacheDir, "kvm.json"), JSON.stringify({ ...record, bootId: "another boot" }));
  assert.equal((await chooseAccelerator(options)).accelerator, first.accelerator);
  assert.deepEqual(await readdir(cacheDir), ["kvm.json"]);
});

test("where KVM can't be tried, it is TCG", { skip: noKvm() }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "accelerator-"));
  t.after(() => rm(folder, { recursive: true }));
  const qemu = join(folder, "qemu");
  await writeFile(qemu, "#!/bin/sh\n", { mode: 0o755 });
  await writeFile(join(folder, "file"), "");
  const path = process.env["PATH"];
  t.after(() => {
    process.env["PATH"] = path;
  });
  {
    const cacheDir = join(folder, "file", "cache");
    const { accelerator, reason } = await chooseAccelerator({ qemu, cacheDir });
    assert.equal(accelerator, "tcg");
    assert.match(reason, /^KVM can't be tried: E/);
  }
  process.env["PATH"] = folder;
  await symlink("/bin/false", join(folder, "setpriv"));
  if (await findProgram("prlimit").catch(() => undefined)) return;
  const { accelerator, reason } = await chooseAccelerator({ qemu, cacheDir: folder });
  assert.deepEqual([accelerator, reason.startsWith("KVM can't be tried: prlimit")], ["tcg", true]);
});

function noKvm(): string | false {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    return false;
  } catch {
    return "/dev/kvm can't be opened here";
  }
}

// What stands in for a QEMU whose KVM is of some kind.
const hypervisors = [
  {
    kind: "that runs the guest (QEMU itself, with TCG)",
    script: `for word do shift; case $word in kvm) word=tcg;; host) word=max;; esac; set -- "$@" "$word"; done
      exec qemu-system-x86_64 "$@"`,
    expected: { accelerator: "kvm", reason: "a test guest ran with KVM on this boot of the host" },
  },
  {
    kind: "that emulates instructions",
    script: "while :; do :; done",
    expected: {
      accelerator: "tcg",
      reason: "a test guest with KVM was too slow: KVM emulates its instructions here",
    },
  },
  {
    kind: "that hangs",
    script: "exec sleep 60",
    expected: { accelerator: "tcg", reason: "a test guest with KVM did not answer in 1500 ms" },
  },
  {
    kind: "that aborts",
    script: "echo 'kvm: unhandled exit 7' >&2; kill -ABRT $$",
    expected: { accelerator: "tcg", reason: "QEMU with KVM ended with SIGABRT: kvm: unhandled exit 7" },
  },
] as const;

for (const { kind, script, expected } of hypervisors) {
  test(`a KVM ${kind}`, { skip: noKvm() }, async (t) => {
    const cacheDir = await mkdtemp(join(tmpdir(), "accelerator-"));
    t.after(() => rm(cacheDir, { recursive: true }));
    const qemu = join(cacheDir, "qemu");
    await writeFile(qemu, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    assert.deepEqual(
      await chooseAccelerator({ qemu, cacheDir, timeoutMs: kind === "that hangs" ? 1500 : 60_000 }),
      expected,
    );
    assert.deepEqual((await readdir(cacheDir)).sort(), ["kvm.json", "qemu"]);
  });
}
