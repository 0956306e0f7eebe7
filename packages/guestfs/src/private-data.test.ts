import assert from "node:assert/strict";
import { test } from "node:test";
import { Guestfs, StateError } from "./index.ts";

const noEnvironment = { environment: false } as const;

function walk(g: Guestfs): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (let entry = g.firstPrivate(); entry !== undefined; entry = g.nextPrivate()) found[entry[0]] = entry[1];
  return found;
}

test("values are kept by name", async () => {
  await using g = new Guestfs(noEnvironment);
  assert.equal(g.getPrivate("a"), null);
  const value = { any: "thing" };
  g.setPrivate("a", value);
  assert.equal(g.getPrivate("a"), value);
  g.setPrivate("a", 2);
  assert.equal(g.getPrivate("a"), 2);
});

test("a walk gives every entry once; those whose value is null are gone", async () => {
  await using g = new Guestfs(noEnvironment);
  assert.equal(g.firstPrivate(), undefined);
  for (const [key, value] of Object.entries({ a: 1, b: 2, c: 3 })) g.setPrivate(key, value);
  g.setPrivate("b", null);
  assert.deepEqual(walk(g), { a: 1, c: 3 });
  assert.deepEqual(walk(g), { a: 1, c: 3 });
});

test("first_private begins again", async () => {
  await using g = new Guestfs(noEnvironment);
  g.setPrivate("a", 1);
  g.setPrivate("b", 2);
  g.firstPrivate();
  assert.deepEqual(walk(g), { a: 1, b: 2 });
});

test("behind the end there is nothing, however often it is asked", async () => {
  await using g = new Guestfs(noEnvironment);
  g.setPrivate("a", 1);
  g.firstPrivate();
  assert.equal(g.nextPrivate(), undefined);
  assert.equal(g.nextPrivate(), undefined);
});

test("set_private ends a walk: to go on is an error, not a wrong answer", async () => {
  await using g = new Guestfs(noEnvironment);
  assert.throws(() => g.nextPrivate(), /first_private was not called/);
  g.setPrivate("a", 1);
  g.firstPrivate();
  g.setPrivate("b", 2);
  assert.throws(
    () => g.nextPrivate(),
    (error) => error instanceof StateError && error.message.startsWith("next_private: set_private was called"),
  );
  assert.equal(Object.keys(walk(g)).length, 2);
});

test("the iterator goes over the entries as they were", async () => {
  await using g = new Guestfs(noEnvironment);
  g.setPrivate("a", 1);
  g.setPrivate("b", 2);
  const seen: string[] = [];
  for (const [key] of g.privateEntries()) {
    g.setPrivate(key, null);
    g.setPrivate(`${key}${key}`, 0);
    seen.push(key);
  }
  assert.deepEqual(seen, ["a", "b"]);
});

test("names that look like JavaScript's own are names", async () => {
  await using g = new Guestfs(noEnvironment);
  g.setPrivate("__proto__", 1);
  assert.equal(g.getPrivate("__proto__"), 1);
  assert.equal(g.getPrivate("constructor"), null);
  assert.throws(() => g.setPrivate(1 as never, 1), TypeError);
});

test("the values are there for the listeners of close, and then gone", async () => {
  const g = new Guestfs(noEnvironment);
  g.setPrivate("a", 1);
  let seen: unknown;
  g.on("close", () => (seen = g.getPrivate("a")));
  await g.close();
  assert.equal(seen, 1);
  assert.equal(g.getPrivate("a"), null);
});
