import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import {
  startRecordingProxy,
  startStockDaemon,
  stockGuestfishHypervisor,
  whyNoStockDaemon,
  whyNoStockGuestfish,
} from "./index.ts";
import type { StockGuestfish } from "./index.ts";

const reason = whyNoStockGuestfish() ?? whyNoStockDaemon();
if (reason !== undefined) console.log(`skipped: ${reason}`);

async function guestfish(
  stock: StockGuestfish,
  script: string,
): Promise<{ output: string; errors: string; code: number | null }> {
  const folder = mkdtempSync(join(tmpdir(), "stock-guestfish-test-"));
  const disk = join(folder, "disk.img");
  writeFileSync(disk, Buffer.alloc(512));
  const child = spawn("/usr/bin/guestfish", ["--format=raw", "-a", disk], {
    env: { ...process.env, ...stock.environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((settle) => child.once("close", settle));
  child.stdin.end(script);
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  rmSync(folder, { recursive: true, force: true });
  return { output, errors, code };
}

describe("the stock guestfish", { skip: reason ?? false }, () => {
  it("drives a daemon behind a socket, and the proxy notes what passes", async () => {
    await using daemon = await startStockDaemon();
    await using proxy = await startRecordingProxy(daemon.socketPath);
    using stock = stockGuestfishHypervisor({ socketPath: proxy.socketPath });
    const { output, errors, code } = await guestfish(stock, "run\nwrite /f hello\ncat /f\n");
    assert.deepEqual({ output, errors, code }, { output: "hello\n", errors: "", code: 0 });
    const passages = proxy.passages();
    assert.equal(passages[0]?.from, "daemon");
    assert.ok(passages.some(({ bytes }) => Buffer.from(bytes).includes("hello")));
  });

  it("starts a daemon with the channel as a descriptor", async () => {
    const program = `
      const { readSync, writeSync } = require("node:fs");
      const fd = Number(process.argv.at(-1).slice("fd:".length));
      writeSync(fd, Buffer.from("f5f55ff5", "hex"));
      const call = Buffer.alloc(44);
      readSync(fd, call);
      // The reply to a call without a result: the call's own header, with the direction changed.
      call.writeInt32BE(1, 16);
      writeSync(fd, call);
      readSync(fd, call);
    `;
    using stock = stockGuestfishHypervisor({ command: [process.execPath, "-e", program, "--"] });
    const { errors } = await guestfish(stock, "run\nping-daemon\nset-autosync false\n");
    assert.equal(errors, "");
  });

  it("removes its files", () => {
    const stock = stockGuestfishHypervisor({ command: ["true"] });
    const hypervisor = stock.environment["LIBGUESTFS_HV"] as string;
    assert.match(spawnSync(hypervisor, ["-version"], { encoding: "utf8" }).stdout, /QEMU/);
    stock.dispose();
    stock.dispose();
    assert.ok(!existsSync(hypervisor));
  });
});
