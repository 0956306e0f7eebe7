import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { encodeFlag, firstSerial, FrameDecoder, launchFlag, Reader, readHeader } from "@guestfs/protocol";
import type { Channel } from "./channel.ts";
import { DescriptorChannel } from "./channel.ts";
import { Conversation } from "./conversation.ts";
import { encodeCall, setSerial } from "./in-process-client.ts";
import type { CallMade } from "./in-process-client.ts";
import { DaemonLog } from "./live/daemon-log.ts";
import { parsePolicy } from "./live/policy.ts";
import { Port } from "./live/port.ts";
import { Service } from "./live/service.ts";
import { readNow, writeAll } from "./native/descriptor.ts";
import { packetPair } from "./native/socket.ts";

const folder = mkdtempSync(join(tmpdir(), "conversation-test-"));
after(() => rmSync(folder, { recursive: true }));
const nowhere = openSync("/dev/null", "w");
after(() => closeSync(nowhere));

/** Makes calls in one conversation. @returns the status of each reply */
function converse(
  open: (fd: number) => Channel,
  calls: readonly (readonly [serial: number, call: CallMade])[],
): string[] {
  const policy = parsePolicy("{}", "test");
  const service = new Service(new DaemonLog(nowhere), () => policy, join(folder, "run"));
  const sysroot = mkdtempSync(join(folder, "sysroot-"));
  const [client, server] = packetPair();
  try {
    for (const [serial, call] of calls) {
      const message = encodeCall(call);
      setSerial(message, serial);
      writeAll(client, message.bytes);
    }
    // Where a call should stand, it ends the conversation.
    writeAll(client, encodeFlag(launchFlag));
    new Conversation(open(server), {
      sysroot,
      live: true,
      network: false,
      verbose: false,
      appliance: false,
      service,
    }).serve();
    const decoder = new FrameDecoder();
    for (;;) {
      const count = readNow(client, decoder.reserve(4096));
      if (count === undefined) break;
      decoder.commit(count);
    }
    const found: string[] = [];
    for (let frame = decoder.next(); frame; frame = decoder.next())
      if (frame.type === "message") found.push(readHeader(new Reader(frame.bytes)).status);
    return [...found, ...readdirSync(sysroot)];
  } finally {
    closeSync(client);
    closeSync(server);
  }
}

const restricted: readonly (readonly [number, CallMade])[] = [
  [firstSerial, ["extension_restrict", { readonly: true }]],
  [firstSerial + 1, ["mkdir", { path: "/one" }]],
  [firstSerial, ["mkdir", { path: "/two" }]],
];

test("on a port, a client whose serials begin anew has taken another's place unnoticed, and inherits nothing", () => {
  assert.deepEqual(
    converse((fd) => new Port(fd), restricted),
    ["ok", "error", "ok", "two"],
  );
});

test("where a client's end is certain, it can't get rid of its restriction so", () => {
  assert.deepEqual(
    converse((fd) => new DescriptorChannel(fd, false), restricted),
    ["ok", "error", "error"],
  );
});
