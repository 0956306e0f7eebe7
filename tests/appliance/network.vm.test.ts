// Drives that another program serves: qemu-nbd, here on a unix socket and on a TCP port.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Guestfs, LaunchError } from "guestfs";

const folder = mkdtempSync(join(tmpdir(), "guestfs-network-"));
const image = join(folder, "disk.img");
const socket = join(folder, "nbd.sock");
const port = 20_000 + (process.pid % 20_000);
const servers: ChildProcess[] = [];

async function answers(target: string | number): Promise<boolean> {
  if (typeof target === "string" && !existsSync(target)) return false;
  const probe = typeof target === "string" ? connect(target) : connect(target, "127.0.0.1");
  const reached = await new Promise<boolean>((resolve) => {
    probe.once("connect", () => resolve(true));
    probe.once("error", () => resolve(false));
  });
  probe.destroy();
  return reached;
}

before(async () => {
  await using g = new Guestfs();
  await g.diskCreate(image, "raw", 32 * 1024 ** 2);
  for (const [place, target] of [
    [["-k", socket], socket],
    [["-b", "127.0.0.1", "-p", String(port)], port],
  ] as const) {
    const args = ["--persistent", "--shared=8", "-f", "raw", "-x", "disk", ...place, image];
    servers.push(spawn("qemu-nbd", args, { stdio: "inherit" }));
    while (!(await answers(target))) await delay(20);
  }
});
after(async () => {
  for (const server of servers) {
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill();
    await ended;
  }
  rmSync(folder, { recursive: true });
});

const digest = (): string => createHash("sha256").update(readFileSync(image)).digest("hex");

test("nbd: written over a unix socket, read over TCP, unchanged when it is read-only", async () => {
  {
    await using g = new Guestfs();
    await g.addDrive("disk", { format: "raw", protocol: "nbd", server: [`unix:${socket}`] });
    await g.launch();
    await g.mkfs("ext4", "/dev/sda");
    await g.mount("/dev/sda", "/");
    await g.write("/file", Buffer.from("over the network\n"));
    await g.close();
  }
  const saved = digest();
  await using g = new Guestfs();
  await g.addDrive("disk", { readonly: true, format: "raw", protocol: "nbd", server: [`127.0.0.1:${port}`] });
  await g.launch();
  await g.mount("/dev/sda", "/");
  assert.equal(await g.cat("/file"), "over the network\n");
  await g.write("/other", Buffer.from("kept nowhere\n"));
  await g.close();
  assert.equal(digest(), saved);
});

test("nbd: no such export, nobody there", async () => {
  for (const [name, server] of [
    ["other", `unix:${socket}`],
    ["disk", `unix:${socket}.none`],
  ] as const) {
    await using g = new Guestfs();
    await g.addDrive(name, { format: "raw", protocol: "nbd", server: [server] });
    await assert.rejects(
      g.launch(),
      (error) => error instanceof LaunchError && /nbd|export|No such file/i.test(error.message),
    );
  }
});
