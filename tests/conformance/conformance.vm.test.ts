// The runner of recorded tests, run as `npm run conformance` runs it, on tests of our own.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const folder = mkdtempSync(join(tmpdir(), "guestfs-conformance-test-"));
after(() => rmSync(folder, { recursive: true }));

const command = (name: string, args: object = {}): object => ({ name, args, optargs: {} });
const always = { optional: null, prereq: { kind: "Always" }, cleanup: [] };

const tests = [
  {
    ...always,
    id: "iso",
    action: "is_dir",
    init: "InitISOFS",
    type: "TestResultTrue",
    seq: [command("is_dir", { path: "/directory" })],
    expect: null,
  },
  {
    ...always,
    id: "scratch",
    action: "cat",
    init: "InitScratchFS",
    type: "TestResultString",
    seq: [command("write", { path: "/file", content: "text" }), command("cat", { path: "/file" })],
    expect: "text",
  },
  {
    ...always,
    id: "wrong",
    action: "filesize",
    init: "InitScratchFS",
    type: "TestResult",
    seq: [command("write", { path: "/file", content: "text" }), command("filesize", { file: "/file" })],
    expect: "ret == 5",
  },
  {
    ...always,
    id: "disabled",
    action: "ping_daemon",
    init: "InitNone",
    prereq: { kind: "Disabled" },
    type: "TestRun",
    seq: [command("ping_daemon")],
    expect: null,
  },
];

function conformance(...words: string[]): { status: number | null; lines: string[] } {
  const file = join(folder, "tests.json");
  writeFileSync(file, JSON.stringify({ tests }));
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [...process.execArgv, main, file, ...words], {
    encoding: "utf8",
  });
  assert.equal(stderr, "");
  return { status, lines: stdout.trimEnd().split("\n") };
}

test("what passes, fails and is skipped, with the reasons", () => {
  assert.deepEqual(conformance(), {
    status: 1,
    lines: [
      "failed wrong: expected ret == 5, got 4",
      "skipped disabled: disabled upstream",
      "passed 2, failed 1, skipped 1",
    ],
  });
});

test("a part of them", () => {
  assert.deepEqual(conformance("--only", "iso"), { status: 0, lines: ["passed 1, failed 0, skipped 0"] });
});
