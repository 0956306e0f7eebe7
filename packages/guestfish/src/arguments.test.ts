import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { procedures } from "@guestfs/schema";
import { readArguments } from "./arguments.ts";
import type { ArgumentContext, CallArguments } from "./arguments.ts";
import { findProcedure } from "./procedure-names.ts";
import { ShellError } from "./shell-error.ts";

const context: ArgumentContext = {
  path: async (path) => (path.startsWith("win:") ? `/resolved/${path.slice(4)}` : path),
  input: () => "stdin",
  sink: () => "stdout",
  heredoc: async (marker) => `until ${marker}`,
  key: async (parameter) => `secret ${parameter}`,
};

async function read(name: string, ...words: string[]): Promise<CallArguments> {
  const row = findProcedure(name);
  assert.ok(row, name);
  return readArguments(row, name, words, context);
}

test("words become what the call takes", async () => {
  assert.deepEqual((await read("mkdir-mode", "/d", "0755")).positional, ["/d", 0o755]);
  assert.deepEqual((await read("truncate-size", "/f", "1G")).positional, ["/f", 2 ** 30]);
  assert.deepEqual((await read("truncate-size", "/f", "7E")).positional, ["/f", 7n << 60n]);
  assert.deepEqual((await read("set-autosync", "off")).positional, [false]);
  assert.deepEqual((await read("vgcreate", "VG", "/dev/sda1 '/dev/s db'")).positional, [
    "VG",
    ["/dev/sda1", "/dev/s db"],
  ]);
  assert.deepEqual((await read("set-append", "")).positional, [null]);
  assert.deepEqual((await read("write", "/f", "\xff")).positional, ["/f", Buffer.from([0xff])]);
  assert.deepEqual((await read("touch", "/\xc3\xa9")).positional, ["/é"]);
  assert.deepEqual((await read("touch", "win:c:\\x")).positional, ["/resolved/c:\\x"]);
  assert.deepEqual((await read("upload", "-", "/f")).positional, ["stdin", "/f"]);
  assert.deepEqual((await read("upload", "-<<END", "/f")).positional, [Buffer.from("until END"), "/f"]);
  assert.deepEqual((await read("download", "/f", "-")).positional, ["/f", "stdout"]);
  assert.deepEqual((await read("cryptsetup-open", "/dev/sda1", "name")).positional, [
    "/dev/sda1",
    "secret key",
    "name",
  ]);
});

test("a here-document has a marker", async () => {
  await assert.rejects(read("upload", "-<<", "/f"), ShellError);
});

test("optional arguments are named, once each, at the end", async () => {
  const call = await read("add", "disk", "readonly:true", "format:raw", "server:a b", "blocksize:4K");
  assert.deepEqual(call, {
    positional: ["disk"],
    optional: { readonly: true, format: "raw", server: ["a", "b"], blocksize: 4096 },
  });
  for (const word of ["readonly", "nosuch:1", "readonly:maybe", "blocksize:x"])
    await assert.rejects(read("add", "disk", word), ShellError, word);
  await assert.rejects(read("add", "disk", "format:a", "format:b"), /more than once/);
});

test("the wrong number of parameters shows how to call it", async () => {
  await assert.rejects(
    read("mount", "a"),
    /^ShellError: error: mount takes 2 parameters, not 1\nusage: mount mountable mountpoint\n/,
  );
  await assert.rejects(read("mount", "a", "b", "c"), /usage: mount/);
  await assert.rejects(read("mkfs", "ext2"), /usage: mkfs fstype device \[blocksize:N\]/);
  await assert.rejects(read("get-autosync", "x"), /takes 0 parameters, not 1/);
});

test("numbers have to fit", async () => {
  assert.deepEqual((await read("head-n", "-2147483648", "/f")).positional, [-(2 ** 31), "/f"]);
  await assert.rejects(read("head-n", "2147483648", "/f"), /out of range/);
  await assert.rejects(read("truncate-size", "/f", "8E"), /out of range/);
  await assert.rejects(read("truncate-size", "/f", "x"), /no integer/);
});

test("any words give arguments or a ShellError, for every call", async () => {
  const rows = procedures.filter((row) => row.shell !== false);
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom("1", "-1", "true", "'", "a b", "-", "-<<E", "win:x", "readonly:true", "format:"),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...rows), fc.array(word, { maxLength: 6 }), async (row, words) => {
      try {
        await readArguments(row, row.name, words, context);
      } catch (error) {
        assert.ok(error instanceof ShellError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
