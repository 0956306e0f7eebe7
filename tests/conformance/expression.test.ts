import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { holds } from "./expression.ts";

function check(expression: string, ...results: unknown[]): boolean {
  const canonical = (device: string): string => device.replace("/dev/vd", "/dev/sd");
  return holds(expression, { results, canonical, hostFile: (name) => name });
}

test("numbers: decimal, octal, hexadecimal, negative, with C's endings", () => {
  assert.ok(check("ret == 022", 18));
  assert.ok(check("ret == 0x7f && ret == 127L && ret > 126 && ret >= 127 && ret < 128 && ret <= 127 && ret != 0", 127));
  assert.ok(check("ret == -1", -1n));
  assert.ok(check("ret == 18446744073709551615", 2n ** 64n - 1n));
  assert.ok(check("ret > 1", 1.5));
  assert.ok(!check("ret", 0));
  assert.ok(check("!ret", false));
});

test("operators bind as in C", () => {
  assert.ok(check("ret == 1 || ret == 2 && ret == 3", 1));
  assert.ok(check("(ret & 0777) == 0755", 0o100755));
  assert.ok(!check("ret & 0777 == 0755", 2));
  assert.ok(check("!(ret == 1)", 2));
});

test("what && and || need not compute is not computed", () => {
  assert.ok(!check('ret != NULL && STREQ (ret, "x")', null));
  assert.ok(check('ret == NULL || STREQ (ret, "x")', null));
  assert.throws(() => check('STREQ (ret, "x")', null), TypeError);
});

test("earlier results", () => {
  assert.ok(check("ret == 3 && ret1 == 2 && ret2 == 1", 3, 2, 1));
  assert.ok(check("size == 2", "text", Buffer.from("ab")));
});

test("strings are bytes, and C's escapes are known", () => {
  assert.ok(check(String.raw`STREQ (ret, "a\tb\n\"\\\101\x42")`, 'a\tb\n"\\AB'));
  assert.ok(check(String.raw`STREQ (ret, "\303\244")`, "ä"));
  assert.ok(check('STREQ (ret, "ä")', "ä"));
  assert.ok(check('STREQ (ret, "one" "two")', "onetwo"));
  assert.ok(check('STRNEQ (ret, "b") && STRPREFIX (ret, "abc")', "abcd"));
  assert.ok(check(String.raw`compare_buffers (ret, size, "a\0\377", 3) == 0`, Buffer.from([97, 0, 255])));
  assert.ok(check('compare_buffers (ret, size, "ab", 2) != 0', Buffer.from("abc")));
});

test("kinds of files", () => {
  const modes = { DIR: 0o040000, BLK: 0o060000, CHR: 0o020000, FIFO: 0o010000, REG: 0o100000, LNK: 0o120000 };
  for (const [kind, mode] of Object.entries(modes))
    for (const other of Object.keys(modes)) assert.equal(check(`S_IS${other} (ret->mode)`, { mode }), kind === other);
});

test("lists, structs and tables", () => {
  assert.ok(check('is_string_list (ret, 2, "a", "b")', ["a", "b"]));
  assert.ok(check("is_string_list (ret, 0)", []));
  assert.ok(!check('is_string_list (ret, 1, "a")', ["a", "b"]));
  assert.ok(check('is_device_list (ret, 2, "/dev/sda", "/dev/sdb1")', ["/dev/vda", "/dev/sdb1"]));
  assert.ok(check('STREQ (ret[1], "b") && ret[2] == NULL', ["a", "b"]));
  const structs = [{ name: "a", n: 5n, attrval: Buffer.from("xyz") }];
  assert.ok(check('ret->len == 1 && STREQ (ret->val[0].name, "a") && ret->val[0].n == 5', structs));
  assert.ok(check("ret->val[0].attrval_len == 3", structs));
  assert.ok(check('check_hash (ret, "k", "v") == 0 && check_hash (ret, "k", "w") != 0', { k: "v" }));
  assert.ok(check('STREQ (get_key (ret, "k"), "v") && get_key (ret, "none") == NULL', { k: "v" }));
  assert.throws(() => check("ret->none == 0", { mode: 1 }), TypeError);
});

test("patterns", () => {
  assert.ok(check('match_re (ret, "^[[:alnum:]]{3}[0-9]+$")', "abc123"));
  assert.ok(!check('match_re (ret, "^b")', "abc"));
});

test("digests of files", () => {
  const folder = mkdtempSync(join(tmpdir(), "guestfs-expression-"));
  try {
    const path = join(folder, "f");
    writeFileSync(path, "hello\n");
    assert.ok(check(`check_file_md5 (ret, "${path}") == 0`, "b1946ac92492d2347c6235b4d2611184"));
    assert.ok(!check(`check_file_md5 (ret, "${path}") == 0`, "0"));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what is not an expression is refused, computed or not", () => {
  for (const text of ["", "ret ==", "ret ret", "unknown == 1", "none (ret)", "0 && none (ret)", "ret @ 1", '"open'])
    assert.throws(() => check(text, 0), SyntaxError);
});
