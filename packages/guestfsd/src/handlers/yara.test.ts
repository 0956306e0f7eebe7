import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { RawClient, ReplyError, startOwnDaemon } from "@guestfs/testkit";

const source = 'rule greeting { strings: $a = "hello" condition: $a }';
/** The beginning of what yarac(1) makes, and then nothing that makes sense. */
const compiled = Buffer.concat([Buffer.from("YARA\x13\x0c\x96\0", "latin1"), Buffer.alloc(4096, 0xa5)]);

test("a running machine takes the source of rules, and no compiled ones, which libyara crashes of", async () => {
  await using daemon = await startOwnDaemon({ args: ["-r"] });
  writeFileSync(join(daemon.sysroot, "f"), "hello\n");
  const client = await RawClient.connect(daemon.socketPath);
  await assert.rejects(client.upload("yara_load", {}, compiled), (error) => {
    assert.ok(error instanceof ReplyError);
    assert.equal(error.errno, "EINVAL");
    assert.match(error.message, /takes the source/);
    return true;
  });
  await client.upload("yara_load", {}, Buffer.from(source));
  const found = await client.download("internal_yara_scan", { path: "/f" });
  assert.ok(found.includes("greeting"));
  client.close();
});

test("rules of any size are not taken into memory", async () => {
  await using daemon = await startOwnDaemon();
  const client = await RawClient.connect(daemon.socketPath);
  await assert.rejects(client.upload("yara_load", {}, Buffer.alloc(65 * 1024 * 1024, " ")), (error) => {
    assert.ok(error instanceof ReplyError);
    assert.equal(error.errno, "EFBIG");
    return true;
  });
  await client.call("ping_daemon");
  client.close();
});
