import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { startStockDaemon, whyNoStockDaemon } from "./index.ts";

const reason = whyNoStockDaemon();
if (reason !== undefined) console.log(`skipped: ${reason}`);

describe("the stock daemon", { skip: reason ?? false }, () => {
  it("greets its client and ends with it", async () => {
    await using daemon = await startStockDaemon();
    const socket = connect(daemon.socketPath);
    const [greeting] = (await once(socket, "data")) as [Buffer];
    assert.equal(greeting.toString("hex"), "f5f55ff5");
    socket.destroy();
    assert.equal(await daemon.exited, 1);
    assert.match(daemon.log(), /end of file/);
  });

  it("leaves nothing behind when it is stopped", async () => {
    const daemon = await startStockDaemon({ verbose: true });
    await daemon.stop();
    await daemon.stop();
    assert.equal(await daemon.exited, "SIGTERM");
    assert.ok(!existsSync(daemon.socketPath));
    assert.ok(!existsSync(`/proc/${daemon.pid}`));
  });

  it("lets several run side by side", async () => {
    await using one = await startStockDaemon();
    await using two = await startStockDaemon();
    assert.notEqual(one.socketPath, two.socketPath);
    assert.ok(existsSync(one.sysroot) && existsSync(two.sysroot));
  });
});
