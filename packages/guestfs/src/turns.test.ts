import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "./turns.ts";

test("in the order they came", async () => {
  const turns = new Turns();
  assert.equal(turns.enter("a"), undefined);
  const order: number[] = [];
  const waiting = [1, 2, 3].map(async (number) => {
    await turns.enter("a");
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
  assert.equal(turns.enter("a"), undefined);
  const stop = new AbortController();
  const first = turns.enter("a", stop.signal);
  const second = turns.enter("a");
  stop.abort(new Error("enough"));
  await assert.rejects(Promise.resolve(first), /enough/);
  turns.leave();
  await second;
  assert.equal(turns.busy, true);
});

test("closing turns away those who wait or come later, not who has the turn", async () => {
  const turns = new Turns();
  assert.equal(turns.enter("a"), undefined);
  const waiting = turns.enter("a");
  const idle = turns.close((procedure) => new Error(`${procedure} closed`));
  await assert.rejects(Promise.resolve(waiting), /a closed/);
  await assert.rejects(Promise.resolve(turns.enter("b")), /b closed/);
  assert.equal(turns.busy, true);
  turns.leave();
  await idle;
  assert.equal(turns.busy, false);
  await assert.rejects(Promise.resolve(turns.enter("b")), /b closed/);
});
