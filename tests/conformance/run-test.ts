import { camelCase, procedureByName } from "@guestfs/schema";
import type { Procedure } from "@guestfs/schema";
import type { Guestfs } from "guestfs";
import { RemoteError } from "guestfs";
import { holds } from "./expression.ts";
import { MissingFileError, prepare } from "./fixture.ts";
import type { Fixture } from "./fixture.ts";
import type { Command, SuiteTest } from "./suite.ts";

/** How a test ended, and why when it did not pass. */
export interface Outcome {
  readonly result: "passed" | "failed" | "skipped";
  readonly reason?: string;
}

function rowOf(name: string): Procedure {
  const row = procedureByName.get(name);
  if (!row) throw new TypeError(`no call ${name} in the schema`);
  return row;
}

async function callOnce(g: Guestfs, command: Command, fixture: Fixture): Promise<unknown> {
  const row = rowOf(command.name);
  const positional = row.params.map((parameter) => {
    const value = command.args[parameter.name];
    const isFile = parameter.of === "file-in" || parameter.of === "file-out";
    return isFile ? fixture.hostFile(value as string) : parameter.type === "buffer" ? Buffer.from(value as string, "latin1") : value;
  });
  const optional = Object.fromEntries(Object.entries(command.optargs).map(([name, value]) => [camelCase(name), value]));
  const method = g[camelCase(command.name) as keyof Guestfs] as (...args: unknown[]) => unknown;
  return await method.call(g, ...positional, ...(row.optional ? [optional] : []));
}

async function whyNot(g: Guestfs, test: SuiteTest): Promise<string | undefined> {
  if (test.prereq.kind === "Disabled") return "disabled upstream";
  const group = test.prereq.kind === "IfAvailable" ? test.prereq.group : undefined;
  for (const name of [group, test.optional, ...test.seq.map((command) => rowOf(command.name).group)])
    if (name && !(await g.featureAvailable([name]))) return `optional group ${name} is not in this daemon`;
  if (test.prereq.kind !== "Always" && test.prereq.kind !== "IfAvailable") return `prerequisite ${test.prereq.kind} is not known here`;
  return undefined;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? part.toString() : part)) ?? "nothing";
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}

function canonical(device: string): string {
  return device.replace(/^\/dev\/[hv]d/, "/dev/sd");
}

function check(test: SuiteTest, results: readonly unknown[], fixture: Fixture): Outcome {
  const [last] = results;
  const verdict = (fine: boolean): Outcome =>
    fine ? { result: "passed" } : { result: "failed", reason: `expected ${test.expect ?? test.type}, got ${shown(last)}` };
  switch (test.type) {
    case "TestRun":
    case "TestRunOrUnsupported":
      return { result: "passed" };
    case "TestResultString":
      return verdict(last === test.expect);
    case "TestResultDevice":
      return verdict(canonical(last as string) === test.expect);
    case "TestResultTrue":
      return verdict(last === true);
    case "TestResultFalse":
      return verdict(last === false);
    case "TestResult":
      return verdict(holds(test.expect ?? "", { results, canonical, hostFile: (name) => fixture.hostFile(name) }));
    default:
      return { result: "skipped", reason: `test type ${test.type} is not known here` };
  }
}

/** Runs one test on a launched handle. Throws only when the handle itself is of no more use. */
export async function runTest(g: Guestfs, test: SuiteTest, fixture: Fixture): Promise<Outcome> {
  const skip = await whyNot(g, test);
  if (skip) return { result: "skipped", reason: skip };
  const results: unknown[] = [];
  let at = "the start state";
  try {
    await prepare(g, test.init);
    for (const [index, command] of test.seq.entries()) {
      at = `command ${index + 1} (${command.name})`;
      const mayFail = test.type === "TestLastFail" && index === test.seq.length - 1;
      try {
        results.unshift(await callOnce(g, command, fixture));
        if (mayFail) return { result: "failed", reason: `${command.name} had to fail and gave ${shown(results[0])}` };
      } catch (error) {
        if (mayFail && error instanceof RemoteError) return { result: "passed" };
        if (mayFail && !(error instanceof MissingFileError) && error instanceof Error && g.isReady()) return { result: "passed" };
        throw error;
      }
    }
    at = "the check of the result";
    return check(test, results, fixture);
  } catch (error) {
    if (error instanceof MissingFileError) return { result: "skipped", reason: error.message };
    if (test.type === "TestRunOrUnsupported" && error instanceof RemoteError && error.errno === "ENOTSUP") return { result: "passed" };
    return { result: "failed", reason: `${at}: ${error instanceof Error ? error.message : String(error)}` };
  } finally {
    for (const command of test.cleanup) await callOnce(g, command, fixture).catch(() => undefined);
  }
}
