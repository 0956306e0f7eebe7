import assert from "node:assert/strict";
import { test } from "node:test";
import { ProtocolError, Writer, writeStruct } from "@guestfs/protocol";
import { startScriptedPeer } from "@guestfs/testkit";
import { Guestfs } from "../index.ts";

/** The daemon's answer to one call: this content. */
async function sending(content: Uint8Array, use: (g: Guestfs) => Promise<void>): Promise<void> {
  await using peer = await startScriptedPeer(async (conversation) => {
    conversation.greet();
    conversation.reply(await conversation.call(), 2);
    conversation.reply(await conversation.call());
    for (let at = 0; at < content.length; at += 100)
      conversation.chunk({ type: "data", data: content.subarray(at, at + 100) });
    conversation.chunk({ type: "end" });
  });
  await using g = new Guestfs({ environment: false, closeTimeout: 1 });
  g.setBackend(`unix:${peer.socketPath}`);
  g.setAutosync(false);
  await g.launch();
  await use(g);
}

function dirents(count: number): Uint8Array {
  const writer = new Writer();
  for (let ino = 0; ino < count; ino++) writeStruct(writer, "dirent", { ino, ftyp: "r", name: `f${ino}` });
  return writer.bytes();
}

test("readdir of newer daemons: structs one behind the other", () =>
  sending(dirents(50), async (g) => {
    const entries = await g.readdir("/");
    assert.equal(entries.length, 50);
    assert.deepEqual(entries[49], { ino: 49n, ftyp: "r", name: "f49" });
  }));

test("numbers of inodes may be as large as 64 bits allow", async () => {
  let asked: unknown;
  await using peer = await startScriptedPeer(async (conversation) => {
    conversation.greet();
    conversation.reply(await conversation.call(), 2);
    // Its header and the device; then the number.
    const frame = await conversation.frame();
    assert.ok(frame?.type === "message");
    const view = new DataView(frame.bytes.buffer, frame.bytes.byteOffset, frame.bytes.length);
    asked = view.getBigInt64(frame.bytes.length - 8);
    conversation.end();
  });
  await using g = new Guestfs({ environment: false, closeTimeout: 1 });
  g.setBackend(`unix:${peer.socketPath}`);
  g.setAutosync(false);
  await g.launch();
  await assert.rejects(g.findInode("/dev/sda1", 2n ** 62n + 1n), { code: "CONNECTION_CLOSED" });
  assert.equal(asked, 2n ** 62n + 1n);
});

test("content that ends in the middle of a struct", () =>
  sending(dirents(3).subarray(0, -4), async (g) => {
    await assert.rejects(g.readdir("/"), ProtocolError);
  }));

test("an entry of the journal", () => {
  const field = (text: string): Buffer => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(Buffer.byteLength(text)));
    return Buffer.concat([length, Buffer.from(text)]);
  };
  return sending(Buffer.concat([field("MESSAGE=a=b"), field("PRIORITY=6")]), async (g) => {
    const fields = await g.journalGet();
    assert.deepEqual(
      fields.map(({ attrname, attrval }) => [attrname, Buffer.from(attrval).toString()]),
      [
        ["MESSAGE", "a=b"],
        ["PRIORITY", "6"],
      ],
    );
  });
});

for (const [name, content] of Object.entries({
  "a length": Buffer.alloc(5),
  "a field": Buffer.from([0, 0, 0, 0, 0, 0, 0, 9, 65]),
  "no =": Buffer.from([0, 0, 0, 0, 0, 0, 0, 1, 65]),
}))
  test(`an entry of the journal that is broken: ${name}`, () =>
    sending(content, async (g) => {
      await assert.rejects(g.journalGet(), ProtocolError);
    }));
