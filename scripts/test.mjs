// @ts-check
// Runs the tests from source: `test.mjs [--quick] [PART-OF-A-PATH ...]`.
import { spawnSync } from "node:child_process";
import { root } from "./project.mjs";
import { testFiles } from "./test-files.mjs";

process.chdir(root);
const parts = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const files = testFiles({ quick: process.argv.includes("--quick") }).filter(
  (path) => parts.length === 0 || parts.some((part) => path.includes(part)),
);
if (files.length === 0) {
  console.error(`test: no test file has ${parts.join(" or ")} in its path`);
  process.exit(1);
}
const { status } = spawnSync(
  process.execPath,
  [
    "--conditions=source",
    "--import",
    "tsx",
    "--test",
    "--test-concurrency=2",
    "--test-timeout=900000",
    "--test-reporter=./scripts/test-reporter.mjs",
    "--test-reporter-destination=stdout",
    ...files,
  ],
  { stdio: "inherit" },
);
process.exitCode = status ?? 1;
