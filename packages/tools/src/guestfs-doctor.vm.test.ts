import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../bin/guestfs-doctor.js", import.meta.url));

function doctor(args: readonly string[], env: NodeJS.ProcessEnv = {}): { status: number | null; lines: string[] } {
  const options = { encoding: "utf8", env: { ...process.env, NODE_EXTRA_CA_CERTS: "", ...env } } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], options);
  assert.equal(stderr, "");
  return { status, lines: stdout.split("\n") };
}

test("what is there, and how long each step of a launch takes", () => {
  const { status, lines } = doctor([]);
  assert.equal(status, 0, lines.join("\n"));
  for (const found of ["QEMU .*, version \\d", "kernel .*/vmlinuz-", "cache ", "node .*version \\d"])
    assert.ok(
      lines.some((line) => new RegExp(`^ok    ${found}`).test(line)),
      found,
    );
  for (const step of ["the daemon has greeted", "it has ended", "launch", "first call", "close"])
    assert.ok(
      lines.some((line) => new RegExp(`^ +\\d+ ms  ${step}$`).test(line)),
      step,
    );
  assert.match(lines.at(-2) ?? "", /^a launch takes \d+\.\d\d s$/);
});

test("what is slow or missing, and what helps", () => {
  const slow = doctor(["--no-launch"], { NODE_EXTRA_CA_CERTS: "/dev/null" });
  assert.equal(slow.status, 0);
  const at = slow.lines.findIndex((line) => /^note  node .*NODE_EXTRA_CA_CERTS/.test(line));
  assert.match(slow.lines[at + 1] ?? "", /to get there: unset NODE_EXTRA_CA_CERTS/);
  const missing = doctor([], { LIBGUESTFS_HV: "/nowhere/qemu" });
  assert.equal(missing.status, 1);
  assert.ok(
    missing.lines.some((line) => /^note  QEMU .*\/nowhere\/qemu/.test(line)),
    missing.lines.join("\n"),
  );
  assert.match(missing.lines.join("\n"), /\na launch does not work: .*\/nowhere\/qemu/);
});
