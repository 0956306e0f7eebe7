import assert from "node:assert/strict";
import { test } from "node:test";
import { eventToString, Guestfs } from "./index.ts";

test("on gives a function that ends it", async () => {
  await using g = new Guestfs({ environment: false });
  const seen: string[] = [];
  g.setTrace(true);
  const end = g.on("trace", ({ message }) => seen.push(message));
  g.setMemsize(512);
  end();
  g.on("trace", () => undefined);
  g.setMemsize(600);
  assert.deepEqual(seen, ["set_memsize 512", "set_memsize = 0"]);
});

test("the same listener may stand there twice and be ended once", async () => {
  await using g = new Guestfs({ environment: false });
  let count = 0;
  const listener = (): void => void count++;
  const end = g.on("enter", listener);
  g.on("enter", listener);
  g.getMemsize();
  assert.equal(count, 2);
  end();
  end();
  g.getMemsize();
  assert.equal(count, 3);
});

test("callbacks in libguestfs's form", async () => {
  await using g = new Guestfs({ environment: false });
  const seen: unknown[] = [];
  const handle = g.setEventCallback((event, own, text, numbers) => seen.push([event, own, text, numbers]), 128 | 64);
  g.getMemsize();
  assert.deepEqual(seen, [[128, handle, "get_memsize", []]]);
  g.deleteEventCallback(handle);
  g.deleteEventCallback(handle);
  g.getMemsize();
  assert.equal(seen.length, 1);
});

test("names of events", () => {
  assert.equal(eventToString(0), "");
  assert.equal(eventToString(4 | 8), "launch_done,progress");
  assert.equal(
    eventToString(1023),
    "close,subprocess_quit,launch_done,progress,appliance,library,trace,enter,libvirt_auth,warning",
  );
  assert.throws(() => eventToString(1024), RangeError);
});

test("wrong events and listeners", async () => {
  await using g = new Guestfs({ environment: false });
  assert.throws(() => g.on("opened" as never, () => undefined), RangeError);
  assert.throws(() => g.on("close", undefined as never), TypeError);
  assert.throws(() => g.setEventCallback(() => undefined, 0), RangeError);
  assert.throws(() => g.setEventCallback(() => undefined, 1 << 20), RangeError);
});

test("a listener that throws harms neither the call nor the other listeners", async (t) => {
  await using g = new Guestfs({ environment: false });
  const written: string[] = [];
  t.mock.method(process.stderr, "write", (text: string) => written.push(text) > 0);
  let told = false;
  g.on("enter", () => {
    throw new Error("broken");
  });
  const rejecting = (): unknown => Promise.reject(new Error("broken later"));
  g.on("enter", rejecting);
  g.on("enter", () => (told = true));
  assert.equal(g.getMemsize(), 1280);
  await new Promise(setImmediate);
  t.mock.restoreAll();
  assert.equal(told, true);
  assert.match(written.join(""), /a listener of enter failed: broken\n.*a listener of enter failed: broken later\n/s);
});

test("without a listener, traces go to standard error with the identifier", async (t) => {
  await using g = new Guestfs({ environment: false });
  g.setIdentifier("one");
  const written: string[] = [];
  t.mock.method(process.stderr, "write", (text: string) => written.push(text) > 0);
  g.setTrace(true);
  g.getSmp();
  t.mock.restoreAll();
  g.setTrace(false);
  assert.equal(written.join(""), "libguestfs: trace: one: get_smp\nlibguestfs: trace: one: get_smp = 1\n");
});

test("listeners of close are told once", async () => {
  const g = new Guestfs({ environment: false });
  let count = 0;
  g.on("close", () => count++);
  await Promise.all([g.close(), g.close()]);
  await g.close();
  assert.equal(count, 1);
});
