import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { startScriptedPeer } from "@guestfs/testkit";
import { CancelledError, Guestfs, LaunchError } from "../index.ts";

const folder = mkdtempSync(join(tmpdir(), "unix-test-"));
after(() => rmSync(folder, { recursive: true }));

async function refused(path: string, message: RegExp, timeout = 5000): Promise<LaunchError> {
  await using g = new Guestfs({ environment: false, launchTimeout: timeout });
  g.setBackend(`unix:${path}`);
  const error = await g.launch().then(
    () => assert.fail("it launched"),
    (failure: unknown) => failure,
  );
  assert.ok(error instanceof LaunchError, String(error));
  assert.match(error.message, message);
  assert.ok(error.message.split("\n").length < 10);
  assert.equal(g.isConfig(), true);
  return error;
}

test("no socket", async () => {
  const error = await refused(
    join(folder, "none.sock"),
    /^launch: there is no socket .*none\.sock\nTo fix it: start a daemon: guestfsd --listen --channel /,
  );
  assert.match(error.fix, /guestfsd --listen/);
  assert.match(error.stack ?? "", /unix\.test/);
});

test("not even a folder", async () => {
  await refused(join(folder, "no", "s.sock"), /and no folder/);
});

test("a file, a folder", async () => {
  writeFileSync(join(folder, "file"), "");
  await refused(join(folder, "file"), /file is a regular file, not a unix socket/);
  await refused(folder, /is a directory, not a unix socket/);
});

test("a socket whose daemon has ended", async () => {
  const path = join(folder, "dead.sock");
  const program = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", program]);
  await refused(
    path,
    /nobody listens on .*: the daemon that made it has ended\nTo fix it: remove the socket and start a daemon/,
  );
});

test("a path too long for a unix socket", async () => {
  const error = await refused(`/${"x".repeat(107)}`, /108 bytes long, and a unix socket's may be at most 107/);
  assert.match(error.fix, /symbolic link/);
});

test("a peer that says nothing", async () => {
  await using peer = await startScriptedPeer(() => undefined);
  await refused(
    peer.socketPath,
    /nobody greeted on .* within 0\.05 s\nThe connection was taken.*\nTo fix it: end the client that uses this daemon/s,
    50,
  );
});

test("peers that are no guestfsd", async () => {
  for (const greeting of ["SSH-2.0-OpenSSH_9.2\r\n", "220 mail ESMTP\r\n", "\0\0\0\x04abcd"]) {
    await using peer = await startScriptedPeer((conversation) => conversation.send(greeting));
    await refused(
      peer.socketPath,
      /^launch: what answers on .* is no guestfsd\nWhere the daemon's greeting should be: /,
    );
  }
});

test("a peer that hangs up", async () => {
  await using silent = await startScriptedPeer((conversation) => conversation.end());
  await refused(silent.socketPath, /did not greet: the daemon closed the connection/);
  await using half = await startScriptedPeer((conversation) => {
    conversation.send(Uint8Array.of(0xf5, 0xf5));
    conversation.end();
  });
  await refused(half.socketPath, /in the middle of a message \(2 bytes/);
});

test("a greeting that comes byte by byte", async () => {
  await using peer = await startScriptedPeer(async (conversation) => {
    for (const byte of [0xf5, 0xf5, 0x5f, 0xf5]) {
      conversation.send(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
  });
  await using g = new Guestfs({ environment: false, closeTimeout: 1 });
  g.setBackend(`unix:${peer.socketPath}`);
  g.setAutosync(false);
  let done = 0;
  g.on("launch_done", () => done++);
  await g.launch();
  assert.equal(done, 1);
  assert.equal(g.isReady(), true);
});

test("a launch can be stopped", async () => {
  await using peer = await startScriptedPeer(() => undefined);
  await using g = new Guestfs({ environment: false });
  g.setBackend(`unix:${peer.socketPath}`);
  const stop = new AbortController();
  const launching = g.launch({ signal: stop.signal });
  setTimeout(() => stop.abort(), 10);
  await assert.rejects(launching, CancelledError);
  const again = g.launch();
  setTimeout(() => g.userCancel(), 10);
  await assert.rejects(again, CancelledError);
  const third = g.launch();
  setTimeout(() => void g.close(), 10);
  await assert.rejects(third, CancelledError);
});

test("libvirt is not a way in", async () => {
  await using g = new Guestfs({ environment: false });
  g.setBackend("libvirt");
  await assert.rejects(g.launch(), /launch: the libvirt backend is not part of this library\nTo fix it: /);
});

test("settings can't be changed once READY", async () => {
  await using peer = await startScriptedPeer((conversation) => conversation.greet());
  await using g = new Guestfs({ environment: false, closeTimeout: 1 });
  g.setBackend(`unix:${peer.socketPath}`);
  g.setAutosync(false);
  await g.launch();
  assert.throws(() => g.setMemsize(512), {
    name: "StateError",
    message: /^set_memsize: needs state CONFIG, and the handle is in state READY/,
  });
  await assert.rejects(g.addDrive("/dev/null"), { name: "StateError" });
  await assert.rejects(g.launch(), { name: "StateError", state: "READY" });
  assert.throws(() => g.maxDisks(), { name: "UnsupportedError" });
  assert.throws(() => g.getPid(), { name: "StateError" });
});
