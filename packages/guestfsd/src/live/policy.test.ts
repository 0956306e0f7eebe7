import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { describePolicy, loadPolicy, parsePolicy, PolicyError } from "./policy.ts";

const parse = (policy: unknown): ReturnType<typeof parsePolicy> => parsePolicy(JSON.stringify(policy), "policy.json");

test("an empty policy is read-write, and so is the one of the Debian package", () => {
  const shipped = readFileSync(new URL("../../debian/policy.json", import.meta.url), "utf8");
  for (const policy of [parse({}), parsePolicy(shipped, "policy.json")]) {
    assert.equal(policy.readOnly, false);
    assert.equal(policy.only, undefined);
    assert.deepEqual([...policy.denied, ...policy.allowed, ...policy.allowedPaths, ...policy.deniedPaths], []);
  }
});

test("calls are named one by one, by their beginning, group or topic, as on the wire or in the shell", () => {
  const { denied } = parse({ calls: { deny: ["mkfs-btrfs", "aug_*", "group:lvm2", "topic:scrub"] } });
  for (const name of ["mkfs_btrfs", "aug_init", "lvremove", "vgs", "scrub_file"]) assert.ok(denied.has(name), name);
  assert.ok(!denied.has("mkfs"));
});

test("paths lose what says nothing", () => {
  assert.deepEqual(parse({ paths: { allow: ["/srv//data/", "/"] } }).allowedPaths, ["/srv/data", "/"]);
});

for (const [what, policy, message] of [
  ["a mode that is none", { mode: "readonly" }, /^policy\.json: mode is "readonly", and must be /],
  [
    "an unknown field",
    { call: {} },
    /^policy\.json: the policy has no field "call"; its fields are mode, calls, paths$/,
  ],
  ["an unknown field within", { calls: { denied: [] } }, /^policy\.json: calls has no field "denied"/],
  ["a call that is none", { calls: { deny: ["mkfss"] } }, /^policy\.json: calls\.deny: "mkfss" names no call/],
  ["a group that is none", { calls: { allow: ["group:lvm"] } }, /"group:lvm" names no call/],
  ["a topic that is none", { calls: { only: ["topic:toString"] } }, /"topic:toString" names no call/],
  ["a string for a list", { calls: { deny: "mkfs" } }, /calls\.deny is not a list of strings/],
  ["a relative path", { paths: { deny: ["etc"] } }, /"etc" is not an absolute path/],
  ["a path with ..", { paths: { allow: ["/srv/../etc"] } }, /is not an absolute path without/],
  ["an empty list of paths", { paths: { allow: [] } }, /paths\.allow is empty: leave it out/],
  ["no object", [], /the policy is not an object/],
  ["null", null, /the policy is not an object/],
] as const)
  test(`${what} is an error that names the place`, () => {
    assert.throws(
      () => parse(policy),
      (error) => error instanceof PolicyError && message.test(error.message),
    );
  });

test("no JSON at all, a file that is not there", () => {
  assert.throws(() => parsePolicy("{mode: 1}", "p"), /^PolicyError: p is no JSON: /);
  assert.throws(() => loadPolicy("/nowhere/policy.json"), /^PolicyError: the policy can't be read: .*ENOENT/);
});

test("a policy is told in a few words", () => {
  const policy = parse({ mode: "read-only", calls: { deny: ["command"] }, paths: { deny: ["/etc/shadow"] } });
  assert.equal(describePolicy(policy), "read-only; 1 calls denied; nothing below /etc/shadow; from policy.json");
});
