import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { cancelFlag, encodeChunk, encodeFlag, launchFlag } from "@guestfs/protocol";
import type { Header } from "@guestfs/protocol";
import { RawClient, ReplyError, startOwnDaemon } from "@guestfs/testkit";
import type { OwnDaemon } from "@guestfs/testkit";
import fc from "fast-check";

let daemon: OwnDaemon;

before(async () => {
  daemon = await startOwnDaemon();
});

after(() => daemon.stop());

async function withClient<T>(use: (client: RawClient) => Promise<T>): Promise<T> {
  const client = await RawClient.connect(daemon.socketPath);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

/** Whether the daemon answers a new client. */
async function assertServes(): Promise<void> {
  await withClient((client) => client.call("ping_daemon"));
}

async function failure(promise: Promise<unknown>): Promise<ReplyError> {
  const error = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof ReplyError, `an error reply was expected, not ${String(error)}`);
  return error;
}

function word(value: number): Uint8Array {
  return encodeFlag(value);
}

/** Counted while a client is served, so that the one before it is gone for sure. */
const openDescriptors = (): Promise<number> =>
  withClient(async (client) => {
    await client.call("ping_daemon");
    return readdirSync(`/proc/${daemon.pid}/fd`).length;
  });
const residentKilobytes = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.pid}/status`, "utf8"))?.[1]);
const blob = Buffer.alloc(3 * 1024 * 1024, "content of a file ");

for (const [what, bytes] of [
  ["words that are no length", word(0xdeadbeef)],
  ["a length over 4 MiB", word(4 * 1024 * 1024 + 1)],
  ["a launch flag", word(launchFlag)],
  ["a message too short for a header", Buffer.concat([word(12), Buffer.alloc(12)])],
] as const)
  test(`${what}: the conversation ends, the daemon goes on`, async () => {
    await withClient(async (client) => {
      client.send(bytes);
      assert.equal(await client.frame(), undefined);
    });
    await assertServes();
  });

test("half a message, then nothing more: the next client is served", async () => {
  await withClient(async (client) => {
    const call = client.encodeCall("mkdir", { path: "/half" });
    client.send(call.subarray(0, call.length - 3));
    await new Promise<void>((settle) => client.socket.end(() => settle()));
  });
  await assertServes();
});

test("whatever bytes come, the next client is served", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, asMessage) => {
      await withClient(async (client) => {
        const message = asMessage ? Buffer.concat([word(bytes.length), bytes]) : bytes;
        client.send(message);
        await new Promise<void>((settle) => client.socket.end(() => settle()));
      });
      await assertServes();
    }),
    { numRuns: 60 },
  );
});

// Where the call's bytes are changed, from behind its length word, and to what.
const lowestByteOfProcedure = 11;
const debugUpload = 241;

test("a call whose bytes are changed anywhere gets an answer or an end, never silence", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.integer({ min: 0, max: 255 }), async (place, value) => {
      await withClient(async (client) => {
        const call = Buffer.from(client.encodeCall("is_dir", { path: "/", followsymlinks: true }));
        // Behind the length word: a longer length would rightly wait for more.
        call[4 + (place % (call.length - 4))] = value;
        client.send(call);
        let frame = await client.frame();
        // It became a call that takes a file, and was refused: its answer comes after the file's end.
        if (frame?.type === "cancel") {
          client.send(encodeChunk({ type: "cancel" }));
          frame = await client.frame();
        }
        assert.ok(frame === undefined || frame.type === "message");
      });
    }),
    { numRuns: 150, examples: [[lowestByteOfProcedure, debugUpload]] },
  );
  await assertServes();
});

test("a header that is not of this protocol is answered with the call before it", () =>
  withClient(async (client) => {
    await client.call("ping_daemon");
    for (const change of [0, 4, 12, 36]) {
      const call = Buffer.from(client.encodeCall("umask", { mask: 0o22 }));
      call.writeUInt32BE(1, 4 + change);
      client.send(call);
      const { header } = await failure(client.reply("umask"));
      assert.deepEqual([header.procedure, header.serial], [92, 1]);
    }
    await client.call("ping_daemon");
  }));

test("unknown calls, options and short arguments are errors; the conversation goes on", () =>
  withClient(async (client) => {
    const attempt = (changes: Partial<Header>, name = "is_dir", cut = 0): Promise<ReplyError> => {
      const call = client.encodeCall(name, { path: "/" }, changes);
      const short = Buffer.from(call.subarray(0, call.length - cut));
      short.writeUInt32BE(short.length - 4, 0);
      client.send(short);
      return failure(client.reply(name));
    };
    assert.match((await attempt({ procedure: 99_999 })).message, /unknown procedure/);
    assert.match((await attempt({ procedure: -1 })).message, /unknown procedure/);
    const mask = await attempt({ optionalMask: 1n << 40n });
    assert.deepEqual([mask.errno, /bitmask/.test(mask.message)], ["EINVAL", true]);
    assert.match((await attempt({ optionalMask: 1n }, "mkdir")).message, /bitmask/);
    assert.match((await attempt({}, "mkdir", 4)).message, /decoded/);
    assert.match((await attempt({}, "mkdir", 8)).message, /decoded/);
    await client.call("ping_daemon");
  }));

test("bytes behind the arguments are ignored", () =>
  withClient(async (client) => {
    const longer = Buffer.concat([client.encodeCall("is_dir", { path: "/" }), Buffer.alloc(64, 7)]);
    longer.writeUInt32BE(longer.length - 4, 0);
    client.send(longer);
    assert.equal((await client.reply("is_dir")).result, true);
  }));

test("a cancel flag between calls is ignored", () =>
  withClient(async (client) => {
    for (let i = 0; i < 3; i++) client.send(encodeFlag(cancelFlag));
    await client.call("ping_daemon");
    client.send(Buffer.concat([encodeFlag(cancelFlag), client.encodeCall("ping_daemon")]));
    await client.reply("ping_daemon");
  }));

test("an upload taken back half-way is an error, and what came is there", () =>
  withClient(async (client) => {
    client.send(client.encodeCall("upload", { remotefilename: "/taken-back" }));
    client.send(encodeChunk({ type: "data", data: blob.subarray(0, 8192) }));
    // Stands where it means nothing.
    client.send(encodeFlag(cancelFlag));
    client.send(encodeChunk({ type: "data", data: blob.subarray(0, 1000) }));
    client.send(encodeChunk({ type: "cancel" }));
    const error = await failure(client.reply("upload"));
    assert.match(error.message, /cancelled/);
    assert.equal(statSync(join(daemon.sysroot, "taken-back")).size, 9192);
    await client.call("ping_daemon");
  }));

test("an upload that can't be is stopped with a flag, and answered after its end", () =>
  withClient(async (client) => {
    client.send(client.encodeCall("upload", { remotefilename: "/no/such/folder" }));
    assert.equal((await client.frame())?.type, "cancel");
    client.send(encodeChunk({ type: "data", data: blob.subarray(0, 8192) }));
    client.send(encodeChunk({ type: "cancel" }));
    assert.equal((await failure(client.reply("upload"))).errno, "ENOENT");
    const whole = await failure(client.upload("upload", { remotefilename: "/no/such/folder" }, blob));
    assert.equal(whole.errno, "ENOENT");
    await client.call("ping_daemon");
  }));

test("a chunk too large or no chunk at all makes an upload fail, not the conversation", () =>
  withClient(async (client) => {
    const large = encodeChunk({ type: "data", data: Buffer.alloc(2 * 1024 * 1024) });
    const none = Buffer.concat([word(4), word(0)]);
    for (const bytes of [large, none]) {
      client.send(client.encodeCall("upload", { remotefilename: "/odd" }));
      client.send(bytes);
      client.send(encodeChunk({ type: "data", data: Buffer.alloc(10) }));
      client.send(encodeChunk({ type: "end" }));
      await failure(client.reply("upload"));
    }
    await client.call("ping_daemon");
  }));

test("chunks of every size arrive as they were", () =>
  withClient(async (client) => {
    client.send(client.encodeCall("upload", { remotefilename: "/pieces" }));
    const pieces: Buffer[] = [];
    for (let size = 1, at = 0; at + size < blob.length; at += size, size = (size * 7) % 8191 || 1) {
      if (pieces.length > 600) break;
      pieces.push(blob.subarray(at, at + size));
      client.send(encodeChunk({ type: "data", data: blob.subarray(at, at + size) }));
    }
    client.send(encodeChunk({ type: "end" }));
    await client.reply("upload");
    const expected = Buffer.concat(pieces);
    assert.ok(readFileSync(join(daemon.sysroot, "pieces")).equals(expected));
    assert.ok((await client.download("download", { remotefilename: "/pieces" })).equals(expected));
  }));

test("a download that the client stops ends with a cancel chunk and nothing more", () =>
  withClient(async (client) => {
    writeFileSync(join(daemon.sysroot, "large"), Buffer.alloc(64 * 1024 * 1024));
    await client.call("download", { remotefilename: "/large" });
    await client.frame();
    client.send(encodeFlag(cancelFlag));
    await assert.rejects(client.receiveFile(), /broke the file off/);
    await client.call("ping_daemon");
    // The flag may also come when everything was sent already.
    writeFileSync(join(daemon.sysroot, "little"), "little");
    await client.call("download", { remotefilename: "/little" });
    client.send(encodeFlag(cancelFlag));
    await client.receiveFile();
    await client.call("ping_daemon");
  }));

test("a client that vanishes in the middle of a file costs nothing", async () => {
  writeFileSync(join(daemon.sysroot, "large"), Buffer.alloc(64 * 1024 * 1024));
  const descriptors = await openDescriptors();
  for (let i = 0; i < 5; i++) {
    await withClient(async (client) => {
      client.send(client.encodeCall("upload", { remotefilename: "/vanished" }));
      client.send(encodeChunk({ type: "data", data: blob.subarray(0, 8192) }).subarray(0, 500));
      await new Promise<void>((settle) => client.socket.end(() => settle()));
    });
    await withClient(async (client) => {
      await client.call("download", { remotefilename: "/large" });
    });
    await withClient(async (client) => {
      client.send(client.encodeCall("tar_in", { directory: "/" }));
      client.send(encodeChunk({ type: "data", data: Buffer.alloc(512) }));
      await new Promise<void>((settle) => client.socket.end(() => settle()));
    });
  }
  assert.equal(await openDescriptors(), descriptors);
});

test("a client that vanishes during a long call does not keep the next one waiting", async () => {
  for (const [name, args] of [
    ["sleep", { secs: 100_000 }],
    ["debug", { subcmd: "sh", extraargs: ["sleep 100000"] }],
  ] as const) {
    await withClient(async (client) => {
      client.send(client.encodeCall(name, args));
      // Once more than the daemon's look at the channel before the call.
      await new Promise((settle) => setTimeout(settle, 50));
    });
    await assertServes();
  }
});

test("a result too large for a message is an error that says so", () =>
  withClient(async (client) => {
    writeFileSync(
      join(daemon.sysroot, "dump"),
      Buffer.from(Array.from({ length: 2_000_000 }, (_, i) => (i * 31) % 251)),
    );
    assert.match((await failure(client.call("hexdump", { path: "/dump" }))).message, /larger than/);
    await client.call("ping_daemon");
  }));

test("a thousand conversations leave no descriptor open and memory as it was", async () => {
  const talk = async (): Promise<void> => {
    await withClient(async (client) => {
      await client.upload("upload", { remotefilename: "/talk" }, blob.subarray(0, 20_000));
      await client.download("download", { remotefilename: "/talk" });
      await failure(client.call("mkdir", { path: "/no/where" }));
      await client.call("inotify_init", { maxevents: 0 });
    });
  };
  for (let i = 0; i < 300; i++) await talk();
  const [descriptors, memory] = [await openDescriptors(), residentKilobytes()];
  for (let i = 0; i < 1000; i++) await talk();
  assert.equal(await openDescriptors(), descriptors);
  assert.ok(residentKilobytes() - memory < 32 * 1024, `grew from ${memory} to ${residentKilobytes()} kB`);
});

test("internal_exit is answered, then the daemon ends", async () => {
  await using other = await startOwnDaemon();
  const client = await RawClient.connect(other.socketPath);
  await client.call("internal_exit");
  assert.equal(await client.frame(), undefined);
  await assert.rejects(RawClient.connect(other.socketPath));
});
