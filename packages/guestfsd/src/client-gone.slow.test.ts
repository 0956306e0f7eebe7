import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { RawClient, startOwnDaemon } from "@guestfs/testkit";

const size = 8e12;

/** Files and folders that keep a call busy for hours. */
function makeTree(sysroot: string): void {
  for (const name of ["sparse", "same"]) {
    writeFileSync(join(sysroot, name), "");
    truncateSync(join(sysroot, name), size);
  }
  execFileSync("mkfifo", [join(sysroot, "fifo")]);
  mkdirSync(join(sysroot, "d"));
  for (let i = 0; i < 80; i++) mkdirSync(join(sysroot, "d", String(i)));
}

const path = "/sparse";
const calls: [name: string, args: Record<string, unknown>][] = [
  ["is_zero", { path }],
  ["is_zero_device", { device: "/dev/zero" }],
  ["checksum_device", { csumtype: "md5", device: "/dev/zero" }],
  ["checksum", { csumtype: "md5", path }],
  ["checksum", { csumtype: "crc", path }],
  ["equal", { file1: path, file2: "/same" }],
  ["strings", { path }],
  ["hexdump", { path }],
  ["head", { path }],
  ["head_n", { path, nrlines: -5 }],
  ["tail", { path }],
  ["tail_n", { path, nrlines: -5 }],
  ["wc_l", { path }],
  ["wc_w", { path }],
  ["grep", { regex: "x", path }],
  ["initrd_list", { path }],
  ["base64_out", { filename: path }],
  ["compress_out", { ctype: "gzip", file: path }],
  ["copy_file_to_file", { src: path, dest: "/copy", sparse: true }],
  ["fill", { c: 0, len: 2 ** 31 - 1, path: "/dev/full" }],
  ["hivex_open", { filename: path }],
  ["hivex_open", { filename: "/fifo" }],
  ["hivex_open", { filename: "/fifo", write: true }],
  ["glob_expand", { pattern: `/d/*{${",".repeat(9000)}}` }],
  ["glob_expand", { pattern: `/d/*zz{${",".repeat(9000)}}` }],
  ["glob_expand", { pattern: "/d/*/../*/../*/../*/../zz*" }],
  ["glob_expand", { pattern: `/${"{".repeat(1_000_000)}` }],
];

test("a client that goes away in the middle of a call is followed by the next one", { timeout: 300_000 }, async (t) => {
  await using daemon = await startOwnDaemon();
  makeTree(daemon.sysroot);
  for (const [name, args] of calls) {
    const shown = `${name} ${JSON.stringify(args)}`.slice(0, 80);
    await t.test(shown, { timeout: 30_000 }, async () => {
      const client = await RawClient.connect(daemon.socketPath);
      client.send(client.encodeCall(name, args));
      const answered = client.reply(name).then(
        () => true,
        () => true,
      );
      await Promise.race([answered, delay(500)]);
      client.close();
      const next = await RawClient.connect(daemon.socketPath);
      await next.call("ping_daemon");
      next.close();
    });
  }
  assert.equal(daemon.log(), "");
});
