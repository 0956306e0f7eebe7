import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "./turns.ts";

test("in the order they came", async () => {
  const turns = new Turns();
  assert.equal(turns.enter(), undefined);
  const order: number[] = [];
  const waiting = [1, 2, 3].map(async (number) => {
    await turns.enter();
    order.push(number);
    turns.leave();
  });
  turns.leave();
  await Promise.all(waiting);
  assert.deepEqual(order, [1, 2, 3]);
  assert.equal(turns.busy, false);
});

test("whoever gives up waiting leaves the line", async () => {
  const turns = new Turns();
  assert.equal(turns.enter(), undefined);
  const stop = new AbortController();
  const first = turns.enter(stop.signal);
  const second = turns.enter();
  stop.abort(new Error("enough"));
  await assert.rejects(Promise.resolve(first), /enough/);
  turns.leave();
  await second;
  assert.equal(turns.busy, true);
});

test("refusing turns away those who wait, not who has the turn", async () => {
  const turns = new Turns();
  assert.equal(turns.enter(), undefined);
  const waiting = turns.enter();
  turns.refuse(new Error("closed"));
  await assert.rejects(Promise.resolve(waiting), /closed/);
  assert.equal(turns.busy, true);
  turns.leave();
  assert.equal(turns.busy, false);
});
