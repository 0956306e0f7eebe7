import assert from "node:assert/strict";
import { test } from "node:test";
import { guestPackages, leaveOut } from "./packages.ts";
import { planAppliance } from "./plan.ts";
import type { HostFacts } from "./plan.ts";

const facts: HostFacts = {
  arch: "x64",
  distribution: "debian 12",
  kernelVersion: "6.1.0-18-amd64",
  kernelStamp: "1",
  nodeStamp: "2",
  busyboxStamp: "3",
  daemonDigest: "4",
};

test("the digests change with what they stand for, and with nothing else", () => {
  const plan = planAppliance(facts);
  assert.deepEqual(planAppliance({ ...facts }), plan);
  const systemOnly: Partial<HostFacts>[] = [
    { kernelVersion: "6.5" },
    { kernelStamp: "x" },
    { nodeStamp: "x" },
    { busyboxStamp: "x" },
    { daemonDigest: "x" },
  ];
  for (const change of systemOnly) {
    const changed = planAppliance({ ...facts, ...change });
    assert.notEqual(changed.system.digest, plan.system.digest, JSON.stringify(change));
    assert.equal(changed.root.digest, plan.root.digest);
  }
  assert.notEqual(planAppliance({ ...facts, distribution: "debian 13" }).root.digest, plan.root.digest);
});

test("no package is both wanted and left out, and none is wanted twice", () => {
  assert.deepEqual(guestPackages.filter(leaveOut), []);
  assert.equal(new Set(guestPackages).size, guestPackages.length);
});
