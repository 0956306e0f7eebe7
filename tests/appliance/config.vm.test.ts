// Arguments of callers for QEMU.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Guestfs, LaunchError } from "guestfs";

const uuid = "11112222-3333-4444-5555-666677778888";

test("what config gives reaches the machine, which is booted for it", async () => {
  await using g = new Guestfs();
  g.setBackend("direct");
  const messages: string[] = [];
  g.setVerbose(true);
  g.on("library", ({ message }) => messages.push(message));
  g.on("appliance", () => undefined);
  g.config("-uuid", uuid);
  await g.addDriveScratch(1024 * 1024);
  await g.launch();
  assert.equal((await g.debug("sh", ["cat /sys/class/dmi/id/product_uuid"])).trim(), uuid);
  assert.ok(messages.some((message) => message.endsWith(` -uuid ${uuid}`)));
  assert.ok(!messages.some((message) => message.includes("template")), messages.join("\n"));
});

test("what QEMU does not know is told in its words", async () => {
  await using g = new Guestfs();
  g.setBackend("direct");
  g.config("-no-such-thing", null);
  await assert.rejects(g.launch(), (error) => {
    assert.ok(error instanceof LaunchError);
    assert.match(error.message, /-no-such-thing: invalid option/);
    return true;
  });
});
