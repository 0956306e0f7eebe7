import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CancelledError, Guestfs, GuestfsError, LaunchError, RemoteError } from "./index.ts";

function failure(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

test("an error knows the system's error behind it", () => {
  const missing = failure(() => readFileSync("/no/such/file"));
  const local = new GuestfsError("LOCAL", "it is not there", { cause: missing });
  assert.equal(local.errno, "ENOENT");
  assert.equal(new LaunchError("it did not start", { cause: new Error("again", { cause: local }) }).errno, "ENOENT");
  assert.equal(new GuestfsError("LOCAL", "why ever").errno, "");
  assert.equal(new GuestfsError("LOCAL", "why", { cause: failure(() => new URL("")) }).errno, "");
  assert.equal(new RemoteError("no", "EPERM", { cause: missing }).errno, "EPERM");
  assert.equal(new CancelledError("stopped", { cause: missing }).errno, "EINTR");
});

test("a file of this machine that is not there", async () => {
  await using g = new Guestfs({ environment: false });
  await assert.rejects(g.addDrive("/no/such.img", { format: "raw" }), { code: "LOCAL", errno: "ENOENT" });
  g.setBackend("unix:/no/such/socket");
  await assert.rejects(g.launch(), { code: "LAUNCH", errno: "ENOENT" });
});
