import { readFileSync } from "node:fs";

/** One command of a test. */
export interface Command {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly optargs: Readonly<Record<string, unknown>>;
}

/** One test of the suite; the fields are told in the README beside the data. */
export interface SuiteTest {
  readonly id: string;
  readonly action: string;
  readonly optional: string | null;
  readonly init: string;
  readonly prereq: { readonly kind: string; readonly group?: string };
  readonly type: string;
  readonly seq: readonly Command[];
  readonly expect: string | null;
  readonly cleanup: readonly Command[];
}

/** Reads a file of tests in the format of `upstream-tests.json`. */
export function readSuite(path: string): SuiteTest[] {
  const data = JSON.parse(readFileSync(path, "utf8")) as { readonly tests?: SuiteTest[] };
  if (!Array.isArray(data.tests)) throw new TypeError(`${path}: no list of tests in it`);
  return data.tests;
}
