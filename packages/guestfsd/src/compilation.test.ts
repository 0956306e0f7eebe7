import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInThisContext } from "node:vm";
import { compileEagerly, interpretAtFirst } from "./compilation.ts";

setFlagsFromString("--allow-natives-syntax");
const statusOf = runInThisContext("(f) => %GetOptimizationStatus(f)") as (f: unknown) => number;
// Bits of V8's OptimizationStatus.
const interpreted = 1 << 7;
const turboFanned = 1 << 6;

const add = (a: number, b: number): number => a + b;
const multiply = (a: number, b: number): number => a * b;

test("what is done eagerly ends up optimized, what comes after it is interpreted", () => {
  interpretAtFirst();
  let rounds = 0;
  compileEagerly(() => {
    rounds++;
    for (let i = 0; i < 2000; i++) add(i, i);
  });
  interpretAtFirst();
  assert.ok(rounds >= 10 && rounds <= 40, `${rounds} rounds`);
  for (let i = 0; i < 20_000; i++) multiply(i, i);
  assert.equal(statusOf(add) & turboFanned, turboFanned, statusOf(add).toString(2));
  assert.equal(statusOf(multiply) & turboFanned, 0, statusOf(multiply).toString(2));
  assert.notEqual(statusOf(multiply) & interpreted, 0, statusOf(multiply).toString(2));
});
