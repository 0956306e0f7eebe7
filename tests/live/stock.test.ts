// A machine with the distribution's own daemon, which ends with each client and is started again by its unit.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startLiveMachine, whyNoLiveMachine } from "@guestfs/testkit";
import type { LiveMachine } from "@guestfs/testkit";
import { runTool } from "./run-tool.ts";

const reason = whyNoLiveMachine();
if (reason !== undefined) console.log(`skipped: ${reason}`);

describe("a machine with the stock daemon", { skip: reason ?? false }, () => {
  let machine: LiveMachine;
  before(async () => {
    machine = await startLiveMachine({ daemon: "stock" });
    console.log(`# the machine came up in ${(machine.bootMs / 1000).toFixed(1)} s`);
  });
  after(() => machine?.stop());

  it("is told apart from ours", async () => {
    const { status, stdout } = await runTool("guestfs-live", "-c", machine.uri, "status", "guest");
    assert.equal(status, 0, stdout);
    assert.match(stdout, /^daemon: {2}not ours: a stock guestfsd, which ends with each client$/m);
  });
});
