import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { RawClient, ReplyError, startOwnDaemon } from "@guestfs/testkit";
import type { OwnDaemon } from "@guestfs/testkit";
import fc from "fast-check";

let daemon: OwnDaemon;
let client: RawClient;

before(async () => {
  daemon = await startOwnDaemon();
  client = await RawClient.connect(daemon.socketPath);
});

after(async () => {
  client.close();
  await daemon.stop();
});

const file = (): string => join(daemon.sysroot, "f");
const path = "/f";

function program(name: string, args: readonly string[]): string {
  return execFileSync(name, [...args, file()], {
    encoding: "latin1",
    env: { ...process.env, LC_ALL: "C" },
    maxBuffer: 1 << 26,
  });
}

function lines(output: string): string[] {
  return output === "" ? [] : output.replace(/\n$/, "").split("\n");
}

/** Text of few letters and many line ends, sometimes larger than what is read at once. */
const texts = fc
  .tuple(fc.array(fc.constantFrom("a", "b ", "\n", "\t", "\n\n", "c d")), fc.integer({ min: 1, max: 12_000 }))
  .map(([parts, times]) => parts.join("").repeat(parts.length > 3 ? times : 1));

test("heads, tails and counts are those of coreutils", () =>
  fc.assert(
    fc.asyncProperty(texts, fc.integer({ min: 0, max: 40 }), async (text, count) => {
      if (text.length > 1_000_000) return;
      writeFileSync(file(), text);
      assert.deepEqual(
        await client.call("head_n", { nrlines: count, path }),
        lines(program("head", ["-n", String(count)])),
      );
      assert.deepEqual(
        await client.call("head_n", { nrlines: -count, path }),
        count === 0 ? [] : lines(program("head", ["-n", `-${count}`])),
      );
      assert.deepEqual(
        await client.call("tail_n", { nrlines: count, path }),
        lines(program("tail", ["-n", String(count)])),
      );
      if (count > 0)
        assert.deepEqual(
          await client.call("tail_n", { nrlines: -count, path }),
          lines(program("tail", ["-n", `+${count}`])),
        );
      for (const [name, option] of [
        ["wc_l", "-l"],
        ["wc_w", "-w"],
        ["wc_c", "-c"],
      ] as const)
        assert.equal(await client.call(name, { path }), Number.parseInt(program("wc", [option]), 10));
    }),
    { numRuns: 40 },
  ));

const noTool = (name: string): string | undefined =>
  spawnSync(name, ["--version"]).error === undefined ? undefined : `${name} is not installed`;

/** Bytes with runs that repeat. */
const blobs = fc
  .array(fc.tuple(fc.uint8Array({ maxLength: 24 }), fc.integer({ min: 1, max: 60 })))
  .map((runs) => Buffer.concat(runs.flatMap(([run, times]) => Array.from({ length: times }, () => run))));

test("dumps are those of hexdump -C", { skip: noTool("hexdump") }, () =>
  fc.assert(
    fc.asyncProperty(blobs, async (blob) => {
      writeFileSync(file(), blob);
      assert.equal(await client.call("hexdump", { path }), program("hexdump", ["-C"]));
    }),
    { numRuns: 40 },
  ),
);

test("strings are those of strings(1)", { skip: noTool("strings") }, () =>
  fc.assert(
    fc.asyncProperty(blobs, fc.constantFrom("s", "b", "l", "B", "L"), async (blob, encoding) => {
      const wide = encoding === "b" || encoding === "l" ? 2 : encoding === "s" ? 1 : 4;
      // Some text that the encoding shows, between bytes that it does not.
      const shown = Buffer.from("visible text");
      const spread = Buffer.alloc(shown.length * wide);
      shown.forEach((byte, i) => (spread[i * wide + (encoding === "b" || encoding === "B" ? wide - 1 : 0)] = byte));
      writeFileSync(file(), Buffer.concat([blob, spread, blob]));
      const expected = lines(program("strings", ["-a", "-e", encoding]));
      assert.deepEqual(await client.call("strings_e", { encoding, path }), expected);
    }),
    { numRuns: 60 },
  ),
);

test("greps of every kind", async () => {
  writeFileSync(file(), "abc\nA.C\na+c\n-x\n");
  const grep = (name: string, pattern: string): Promise<unknown> => {
    const key = name.includes("f") ? "pattern" : "regex";
    return client.call(name, { [key]: pattern, path });
  };
  for (const prefix of ["", "z"]) {
    assert.deepEqual(await grep(`${prefix}grep`, "a.c"), ["abc", "a+c"]);
    assert.deepEqual(await grep(`${prefix}grepi`, "a.c"), ["abc", "A.C", "a+c"]);
    assert.deepEqual(await grep(`${prefix}egrep`, "ab+c|x"), ["abc", "-x"]);
    assert.deepEqual(await grep(`${prefix}egrepi`, "^a\\."), ["A.C"]);
    assert.deepEqual(await grep(`${prefix}fgrep`, "a+c"), ["a+c"]);
    assert.deepEqual(await grep(`${prefix}fgrepi`, "a.c"), ["A.C"]);
    assert.deepEqual(await grep(`${prefix}grep`, "-x"), ["-x"]);
    assert.deepEqual(await grep(`${prefix}grep`, "absent"), []);
  }
  await assert.rejects(grep("grep", "["), ReplyError);
  mkdirSync(join(daemon.sysroot, "folder"));
  await assert.rejects(client.call("grep", { regex: "x", path: "/folder" }), ReplyError);
});
