import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseBoolean } from "./boolean.ts";
import { parseInteger } from "./integer.ts";

test("integers have C's bases", () => {
  const cases: [string, bigint][] = [
    ["1234", 1234n],
    ["02322", 1234n],
    ["0x4d2", 1234n],
    ["0X4D2", 1234n],
    ["0", 0n],
    ["00", 0n],
    ["+600", 600n],
    ["-5", -5n],
    [" 7", 7n],
  ];
  for (const [text, value] of cases) assert.equal(parseInteger(text), value, text);
});

test("sizes have suffixes", () => {
  const cases: [string, bigint][] = [
    ["1k", 1024n],
    ["1K", 1024n],
    ["1KiB", 1024n],
    ["1kiB", 1024n],
    ["1KB", 1000n],
    ["1KD", 1000n],
    ["k", 1024n],
    ["2M", 2n << 20n],
    ["2MB", 2_000_000n],
    ["1G", 1n << 30n],
    ["1T", 1n << 40n],
    ["1P", 1n << 50n],
    ["1E", 1n << 60n],
    ["1Z", 1n << 70n],
    ["1Y", 1n << 80n],
    ["1YB", 10n ** 24n],
    ["0x10M", 16n << 20n],
    ["-1M", -(1n << 20n)],
  ];
  for (const [text, value] of cases) assert.equal(parseInteger(text), value, text);
});

test("other text is no integer", () => {
  for (const text of [
    "",
    "-",
    "abc",
    "08",
    "1Q",
    "1x",
    "0o644",
    "1000B",
    "1Ki",
    "1ki",
    "1kb",
    "512.5",
    "600 ",
    "1m",
    "0x",
    "-k",
    "1 k",
    "１",
  ]) {
    assert.equal(parseInteger(text), undefined, text);
  }
});

test("any text gives a number or nothing", () => {
  fc.assert(fc.property(fc.string(), (text) => ["bigint", "undefined"].includes(typeof parseInteger(text))));
  fc.assert(fc.property(fc.bigInt(), (value) => parseInteger(String(value)) === value));
});

test("truth has many words", () => {
  for (const text of ["1", "true", "T", "yes", "Y", "on", "tRuE"]) assert.equal(parseBoolean(text), true, text);
  for (const text of ["0", "false", "f", "no", "N", "OFF"]) assert.equal(parseBoolean(text), false, text);
  for (const text of ["", "2", "maybe", "enable", "ye", " true"]) assert.equal(parseBoolean(text), undefined, text);
});
