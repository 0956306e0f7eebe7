import assert from "node:assert/strict";
import { test } from "node:test";
import { Script } from "./script.ts";
import { ShellError } from "./shell-error.ts";

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text, "latin1");
}

test("lines come whole, however the bytes arrive", async () => {
  const script = new Script("s", pieces("run\necho ", "a", "\r\n", "\nlast"));
  const lines: unknown[] = [];
  for (let line = await script.next(); line !== undefined; line = await script.next()) lines.push([script.line, line]);
  assert.deepEqual(lines, [
    [1, "run"],
    [2, "echo a"],
    [3, ""],
    [4, "last"],
  ]);
  assert.equal(await script.next(), undefined);
});

test("a here-document ends at its marker, and the script goes on", async () => {
  const script = new Script("s", "a\n  b\nEND \nEND\nnext\n");
  assert.equal(await script.heredoc("END"), "a\n  b\nEND \n");
  assert.equal(await script.next(), "next");
  await assert.rejects(new Script("s", "a\n").heredoc("END"), ShellError);
});

test("a here-document keeps its bytes, also in a script with CR LF", async () => {
  const script = new Script("s", "upload -<<E /f\na\r\nE\r\nE\nupload -<<E /g\r\nb\r\nc\nE\r\nnext\r\n");
  assert.equal(await script.next(), "upload -<<E /f");
  assert.equal(await script.heredoc("E"), "a\r\nE\r\n");
  assert.equal(await script.next(), "upload -<<E /g");
  assert.equal(await script.heredoc("E"), "b\r\nc\n");
  assert.equal(await script.next(), "next");
});

test("the rest is everything not yet read", async () => {
  const script = new Script("s", pieces("upload - /f\nab", "c\n", "d"));
  assert.equal(await script.next(), "upload - /f");
  const rest: Uint8Array[] = [];
  for await (const piece of script.rest()) rest.push(piece);
  assert.equal(Buffer.concat(rest).toString(), "abc\nd");
  assert.equal(await script.next(), undefined);
});
