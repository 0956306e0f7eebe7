// A machine that is off: our daemon is taken out of it and put in again, and it boots with it.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startLiveMachine, whyNoLiveMachine } from "@guestfs/testkit";
import type { LiveMachine } from "@guestfs/testkit";
import { runTool } from "./run-tool.ts";

const reason = whyNoLiveMachine();
if (reason !== undefined) console.log(`skipped: ${reason}`);

describe("guestfs-live with a machine that is off", { skip: reason ?? false }, () => {
  let machine: LiveMachine;
  before(async () => {
    machine = await startLiveMachine({ daemon: "own", channels: [], start: false });
  });
  after(() => machine?.stop());

  it("says that the machine is off", async () => {
    const { status, stdout } = await runTool("guestfs-live", "-c", machine.uri, "enable", "guest");
    assert.equal(status, 0);
    assert.equal(stdout, "guest has org.libguestfs.channel.0, from its next start on\n");
    const off = await runTool("guestfs-live", "-c", machine.uri, "status", "guest");
    assert.equal(off.status, 3);
    assert.match(off.stdout, /^live access: no: it is off$/m);
  });

  it("refuses a disk that names another file", async () => {
    const { status, stderr } = await runTool("guestfs-live", "uninstall", "-a", machine.disk);
    assert.equal(status, 1);
    assert.match(stderr, /names another file: a backing file/);
  });

  it("removes the daemon", async () => {
    const { status, stdout, stderr } = await runTool("guestfs-live", "-c", machine.uri, "uninstall", "-d", "guest");
    assert.equal(status, 0, stderr);
    assert.equal(stdout, "guestfsd is removed from guest\n");
  });

  it("puts it in; the machine boots with it", async () => {
    const { status, stdout, stderr } = await runTool("guestfs-live", "-c", machine.uri, "install", "-d", "guest");
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^guestfsd \d+\.\d+\.\d+ is installed in guest and starts with the channel\n/);
    await machine.start();
    await machine.waitForChannel("connected", "org.libguestfs.channel.0");
    assert.equal(
      await machine.run("dpkg --verify guestfsd-live | grep -v /usr/share/doc; dpkg --audit; ls /var/tmp"),
      "",
    );
    const usable = await runTool("guestfs-live", "-c", machine.uri, "status", "guest");
    assert.equal(usable.status, 0, usable.stdout);
  });
});
