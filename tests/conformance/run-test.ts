import { camelCase, procedureByName } from "@guestfs/schema";
import type { Procedure } from "@guestfs/schema";
import type { Guestfs } from "guestfs";
import { RemoteError, UnsupportedError } from "guestfs";
import { holds } from "./expression.ts";
import { MissingFileError, prepare } from "./fixture.ts";
import type { Fixture } from "./fixture.ts";
import type { Command, SuiteTest } from "./suite.ts";

/** How a test ended, and why when it did not pass. */
export interface Outcome {
  readonly result: "passed" | "failed" | "skipped";
  readonly reason?: string;
  /** the start state could not be made: what an earlier test has left behind may be why */
  readonly atStart?: boolean;
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
    if (parameter.of === "file-in") return fixture.hostFile(value as string);
    if (parameter.of === "file-out") return fixture.outputFile(value as string);
    return parameter.type === "buffer" ? Buffer.from(value as string, "latin1") : value;
  });
  const optional = Object.fromEntries(Object.entries(command.optargs).map(([name, value]) => [camelCase(name), value]));
  const method = g[camelCase(command.name) as keyof Guestfs] as (...args: unknown[]) => unknown;
  return await method.call(g, ...positional, ...(row.optional ? [optional] : []));
}

const known = new WeakMap<Guestfs, Map<string, boolean>>();

/** Whether the daemon has a group of calls; asked once a launch. */
async function hasGroup(g: Guestfs, name: string): Promise<boolean> {
  const answers = known.get(g) ?? new Map<string, boolean>();
  known.set(g, answers);
  const before = answers.get(name);
  if (before !== undefined) return before;
  const answer = await g.featureAvailable([name]).catch((error: unknown) => {
    if (error instanceof UnsupportedError) return false;
    throw error;
  });
  answers.set(name, answer);
  return answer;
}

async function whyNot(g: Guestfs, test: SuiteTest): Promise<string | undefined> {
  if (test.prereq.kind === "Disabled") return "disabled upstream";
  const group = test.prereq.kind === "IfAvailable" ? test.prereq.group : undefined;
  for (const name of [group, test.optional, ...test.seq.map((command) => rowOf(command.name).group)])
    if (name && !(await hasGroup(g, name))) return `optional group ${name} is not in this daemon`;
  if (test.prereq.kind !== "Always" && test.prereq.kind !== "IfAvailable")
    return `prerequisite ${test.prereq.kind} is not known here`;
  return undefined;
}

/** Why a test can't be made without a file of upstream's ISO image. */
function whyNoFile(test: SuiteTest, fixture: Fixture): string | undefined {
  if (test.init !== "InitISOFS") return undefined;
  const paths = test.seq.flatMap(({ name, args }) =>
    rowOf(name).params.flatMap((parameter) => (parameter.of === "pathname" ? [args[parameter.name]] : [])),
  );
  const missing = paths.filter((path) => typeof path === "string").find((path) => !fixture.isOnIso(path));
  return missing === undefined
    ? undefined
    : `needs ${missing} of upstream's ISO image (give its folder with --files DIR)`;
}

function shown(value: unknown): string {
  const text =
    JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? part.toString() : part)) ?? "nothing";
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}

function canonical(device: string): string {
  return device.replace(/^\/dev\/[hv]d/, "/dev/sd");
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function check(test: SuiteTest, results: readonly unknown[], fixture: Fixture): Outcome {
  const [last] = results;
  const verdict = (fine: boolean): Outcome =>
    fine
      ? { result: "passed" }
      : { result: "failed", reason: `expected ${test.expect ?? test.type}, got ${shown(last)}` };
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
    case "TestLastFail":
      return { result: "failed", reason: "a test of a failure has no command" };
    default:
      return { result: "skipped", reason: `test type ${test.type} is not known here` };
  }
}

/** Runs one test on a launched handle. Throws only when the handle itself is of no more use. */
export async function runTest(g: Guestfs, test: SuiteTest, fixture: Fixture): Promise<Outcome> {
  const skip = (await whyNot(g, test)) ?? whyNoFile(test, fixture);
  if (skip) return { result: "skipped", reason: skip };
  const results: unknown[] = [];
  let at = "";
  try {
    await prepare(g, test.init);
  } catch (error) {
    return { result: "failed", atStart: true, reason: `the start state ${test.init}: ${wordsOf(error)}` };
  }
  try {
    for (const [index, command] of test.seq.entries()) {
      at = `command ${index + 1} (${command.name})`;
      const mayFail = test.type === "TestLastFail" && index === test.seq.length - 1;
      try {
        results.unshift(await callOnce(g, command, fixture));
        if (mayFail) return { result: "failed", reason: `${command.name} had to fail and gave ${shown(results[0])}` };
      } catch (error) {
        if (mayFail && error instanceof RemoteError) return { result: "passed" };
        if (mayFail && !(error instanceof MissingFileError) && error instanceof Error && g.isReady())
          return { result: "passed" };
        throw error;
      }
    }
    at = "the check of the result";
    return check(test, results, fixture);
  } catch (error) {
    if (error instanceof MissingFileError) return { result: "skipped", reason: error.message };
    const last = results.length === test.seq.length - 1;
    if (test.type === "TestRunOrUnsupported" && last && error instanceof RemoteError && error.errno === "ENOTSUP")
      return { result: "passed" };
    return { result: "failed", reason: `${at}: ${wordsOf(error)}` };
  } finally {
    for (const command of test.cleanup) await callOnce(g, command, fixture).catch(() => undefined);
  }
}
