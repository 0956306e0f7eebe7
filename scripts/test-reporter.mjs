// @ts-check
// One line for each file, everything about a failure, the reasons of what was skipped, and node's own closing lines.
import { relative } from "node:path";
import { inspect } from "node:util";

/**
 * @typedef {{ name: string, file?: string, nesting: number, line?: number, skip?: string | boolean,
 *   details: { duration_ms: number, type?: string, error?: Error & { cause?: unknown, failureType?: string } } }} Outcome
 */

/** What node says at the end, unlike what a test has to say. */
const closingLine = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

/** @param {Outcome} outcome */
function reasonOf({ details: { error } }) {
  const cause = error?.cause instanceof Error ? error.cause : error;
  return inspect(cause, { colors: false }).replaceAll(/^/gm, "      ");
}

/** @param {AsyncIterable<{ type: string, data: any }>} source */
export default async function* report(source) {
  /** @type {string[]} */
  const path = [];
  /** @type {string[]} */
  const skipped = [];
  /** @type {Map<string, { passed: number, failed: number, skipped: number, time: number }>} */
  const files = new Map();
  let current = "";
  /** @param {string} file */
  const lineOf = (file) => {
    const counts = files.get(file);
    if (counts === undefined) return "";
    const { passed, failed, skipped, time } = counts;
    const parts = [
      `${passed} passed`,
      ...(failed > 0 ? [`${failed} failed`] : []),
      ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ];
    return `${failed > 0 ? "FAIL" : "ok  "} ${file}: ${parts.join(", ")} (${(time / 1000).toFixed(1)} s)\n`;
  };
  for await (const { type, data } of source) {
    if (type === "test:start") path.splice(data.nesting, path.length, data.name);
    if (type === "test:stderr") yield data.message;
    if (type === "test:diagnostic" && closingLine.test(data.message)) {
      if (current !== "") {
        yield lineOf(current);
        current = "";
        if (skipped.length > 0) yield `\nskipped:\n${skipped.join("\n")}\n\n`;
      }
      yield `# ${data.message}\n`;
    } else if (type === "test:diagnostic") yield `     ${data.message}\n`;
    if (type !== "test:pass" && type !== "test:fail") continue;
    /** @type {Outcome} */
    const outcome = data;
    const file = relative(process.cwd(), outcome.file ?? outcome.name);
    if (file !== current) {
      yield lineOf(current);
      current = file;
    }
    const counts = files.get(file) ?? { passed: 0, failed: 0, skipped: 0, time: 0 };
    files.set(file, counts);
    if (outcome.nesting === 0) counts.time += outcome.details.duration_ms;
    if (outcome.details.type === "suite" && type === "test:pass" && outcome.skip === undefined) continue;
    const name = [...path.slice(0, outcome.nesting), outcome.name].join(" > ");
    if (outcome.skip !== undefined) {
      counts.skipped += 1;
      skipped.push(
        `  ${file}: ${name}: ${outcome.skip === true || outcome.skip === "" ? "no reason given" : outcome.skip}`,
      );
    } else if (type === "test:pass") {
      counts.passed += 1;
    } else if (outcome.details.error?.failureType !== "subtestsFailed") {
      counts.failed += 1;
      yield `FAILED ${file}:${outcome.line ?? 0}: ${name}\n${reasonOf(outcome)}\n`;
    }
  }
}
