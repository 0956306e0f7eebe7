import assert from "node:assert/strict";
import { test } from "node:test";
import { camelCase, procedures } from "@guestfs/schema";
import { Guestfs, StateError } from "./index.ts";

test("a call of the daemon before launch names the state and the call", async () => {
  await using g = new Guestfs({ environment: false });
  await assert.rejects(g.mount("/dev/sda1", "/"), (error) => {
    assert.ok(error instanceof StateError);
    assert.equal(
      error.message,
      "mount: needs state READY, and the handle is in state CONFIG: call launch first (in guestfish: run)",
    );
    assert.equal(error.state, "CONFIG");
    assert.match(error.stack?.split("\n")[1] ?? "", /state\.test/);
    return true;
  });
});

test("composed calls need READY as well", async () => {
  await using g = new Guestfs({ environment: false });
  await assert.rejects(g.cat("/f"), { name: "StateError", procedure: "cat" });
  await assert.rejects(g.ls("/"), { name: "StateError", procedure: "ls" });
  await assert.rejects(g.available(["xfs"]), { name: "StateError", procedure: "available" });
});

test("a closed handle takes no call", async () => {
  const g = new Guestfs({ environment: false });
  await g.close();
  await assert.rejects(g.launch(), { name: "StateError", state: "CLOSED" });
  await assert.rejects(g.cat("/f"), StateError);
  assert.throws(() => g.getMemsize(), StateError);
  assert.throws(() => g.setMemsize(512), StateError);
  assert.throws(() => g.on("close", () => undefined), StateError);
});

test("shutdown before launch does nothing", async () => {
  await using g = new Guestfs({ environment: false });
  await g.shutdown();
  await g.killSubprocess();
  assert.equal(g.isConfig(), true);
  assert.throws(() => g.waitReady(), StateError);
  assert.throws(() => g.getPid(), StateError);
});

test("every call of the schema is a method, also under its other names", () => {
  const prototype = Guestfs.prototype as unknown as Record<string, unknown>;
  for (const row of procedures) {
    if (row.name.startsWith("extension_") && row.visibility === "internal") continue;
    if (row.name === "retired_readdir") continue;
    for (const name of [row.name, ...(row.aliases ?? [])])
      assert.equal(typeof prototype[camelCase(name)], "function", name);
  }
  assert.equal("extensionSetChunkSize" in prototype, false);
});

test("a method on something else", async () => {
  await assert.rejects(Guestfs.prototype.getUmask.call({} as Guestfs), TypeError);
  assert.throws(() => Guestfs.prototype.getMemsize.call(undefined as never), TypeError);
});

test("arguments of the wrong kind are named", async () => {
  await using g = new Guestfs({ environment: false });
  const cases: readonly [Promise<unknown>, RegExp, typeof TypeError | typeof RangeError][] = [
    [g.mount(1 as never, "/"), /^mount: mountable: must be a string, not number$/, TypeError],
    [g.mount("/dev/sda1", undefined as never), /^mount: mountpoint: must be a string, not undefined$/, TypeError],
    [g.mkdir("a\0b"), /^mkdir: path: must not contain a NUL character$/, TypeError],
    [g.chmod(1.5, "/f"), /^chmod: mode: 1.5 is not an integer of 32 bits$/, RangeError],
    [g.chmod(2 ** 31, "/f"), /^chmod: mode: /, RangeError],
    [
      g.truncateSize("/f", 2n ** 63n),
      /^truncate_size: size: 9223372036854775808 is not an integer of 64 bits$/,
      RangeError,
    ],
    [g.truncateSize("/f", 2 ** 60), /is not an exact integer/, RangeError],
    [g.write("/f", "text" as never), /^write: content: must be a Uint8Array, not string$/, TypeError],
    [g.command("ls" as never), /^command: arguments: must be an array of strings, not string$/, TypeError],
    [g.command(["a", 1] as never), /^command: arguments: each element must be a string, not number$/, TypeError],
    [g.download("/f", 1 as never), /^download: filename: must be a path or a writable stream, not number$/, TypeError],
    [g.mkfs("ext4", "/dev/sda1", 4096 as never), /^mkfs: options must be an object, not number$/, TypeError],
    [
      (g.mkfs as (...args: unknown[]) => Promise<void>)("ext4", "/dev/sda1", {}, {}),
      /^mkfs: takes 2 arguments and options, not 4$/,
      TypeError,
    ],
    [g.umount("/", { signal: 1 as never }), /^umount: signal must be an AbortSignal, not number$/, TypeError],
  ];
  for (const [call, message, kind] of cases)
    await assert.rejects(call, (error) => error instanceof kind && message.test(error.message));
});
