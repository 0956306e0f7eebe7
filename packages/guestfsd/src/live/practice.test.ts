import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInThisContext } from "node:vm";
import { readHeader } from "@guestfs/protocol";
import type { DaemonOptions } from "../daemon-state.ts";
import { DaemonLog } from "./daemon-log.ts";
import { parsePolicy } from "./policy.ts";
import { practise } from "./practice.ts";
import { Service } from "./service.ts";

setFlagsFromString("--allow-natives-syntax");
const statusOf = runInThisContext("(f) => %GetOptimizationStatus(f)") as (f: unknown) => number;
// A bit of V8's OptimizationStatus.
const turboFanned = 1 << 6;

const folder = mkdtempSync(join(tmpdir(), "practice-test-"));
after(() => rmSync(folder, { recursive: true }));
const log = join(folder, "log");
const fd = openSync(log, "w");
after(() => closeSync(fd));
const policy = parsePolicy("{}", "test");
const service = new Service(new DaemonLog(fd), () => policy, folder);
const optionsWith = (used: Service): DaemonOptions => ({
  sysroot: "/",
  live: true,
  network: false,
  verbose: false,
  appliance: false,
  service: used,
});
const descriptors = (): number => readdirSync("/proc/self/fd").length;

test("who is wanted at once does not practise", () => {
  let asked = 0;
  practise(service, optionsWith, () => ++asked > 0);
  assert.equal(asked, 1);
  assert.equal(statusOf(readHeader) & turboFanned, 0);
});

test("practice is stopped in the middle, and leaves nothing open", () => {
  const before = descriptors();
  let asked = 0;
  practise(service, optionsWith, () => ++asked > 5);
  assert.ok(asked > 5 && asked < 12, String(asked));
  assert.equal(descriptors(), before);
});

test("afterwards what calls run is optimized; no client is known of it, nothing logged, nothing open", () => {
  const before = descriptors();
  practise(service, optionsWith, () => false);
  assert.equal(statusOf(readHeader) & turboFanned, turboFanned);
  assert.deepEqual([service.clients, service.lastClient, service.currentClient], [0, undefined, undefined]);
  assert.equal(readFileSync(log, "utf8"), "");
  assert.equal(descriptors(), before);
});
