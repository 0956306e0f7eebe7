// npm run conformance -- FILE [--only TEXT] [--files DIR] [--verbose]
import { parseArgs } from "node:util";
import type { Guestfs } from "guestfs";
import { Fixture } from "./fixture.ts";
import { runTest } from "./run-test.ts";
import type { Outcome } from "./run-test.ts";
import { readSuite } from "./suite.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string", multiple: true },
    files: { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});
if (positionals.length !== 1) {
  console.error("usage: npm run conformance -- FILE [--only TEXT]... [--files DIR] [--verbose]");
  process.exit(2);
}

/** A test may leave something open, so that not all can be unmounted; the next one gets an appliance of its own. */
async function closeQuietly(handle: Guestfs): Promise<void> {
  await handle.close().catch((error: unknown) => console.log(`closing: ${String(error)}`));
}

const tests = readSuite(positionals[0] ?? "").filter(
  ({ id }) => values.only?.some((text) => id.includes(text)) ?? true,
);
const fixture = new Fixture(values.files);
const counts: Record<Outcome["result"], number> = { passed: 0, failed: 0, skipped: 0 };
let handle: Guestfs | undefined;
try {
  for (const test of tests) {
    handle ??= await fixture.launch();
    const from = performance.now();
    let outcome = await runTest(handle, test, fixture);
    if (outcome.atStart) {
      await closeQuietly(handle);
      handle = await fixture.launch();
      outcome = await runTest(handle, test, fixture);
    }
    counts[outcome.result] += 1;
    if (outcome.reason !== undefined) console.log(`${outcome.result} ${test.id}: ${outcome.reason}`);
    else if (values.verbose) console.log(`${outcome.result} ${test.id} (${Math.round(performance.now() - from)} ms)`);
    if (!handle.isReady()) {
      await closeQuietly(handle);
      handle = undefined;
    }
  }
} finally {
  if (handle) await closeQuietly(handle);
  fixture.remove();
}
console.log(`passed ${counts.passed}, failed ${counts.failed}, skipped ${counts.skipped}`);
process.exitCode = counts.failed === 0 ? 0 : 1;
