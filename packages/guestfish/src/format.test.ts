import assert from "node:assert/strict";
import { test } from "node:test";
import { procedureByName } from "@guestfs/schema";
import { formatResult } from "./format.ts";

function format(name: string, result: unknown): string {
  const row = procedureByName.get(name);
  assert.ok(row, name);
  const output = formatResult(row, result);
  return typeof output === "string" ? output : Buffer.from(output).toString("latin1");
}

test("simple results are a line each", () => {
  assert.equal(format("mkdir", undefined), "");
  assert.equal(format("is_file", true), "true\n");
  assert.equal(format("is_file", false), "false\n");
  assert.equal(format("filesize", 12), "12\n");
  assert.equal(format("hivex_root", 2n ** 60n), "1152921504606846976\n");
  assert.equal(format("cat", "hello\n"), "hello\n\n");
  assert.equal(format("cat", "é"), "\xc3\xa9\n");
  assert.equal(format("get_append", null), "(null)\n");
  assert.equal(format("ls", ["a", "b c", ""]), "a\nb c\n\n");
  assert.equal(format("ls", []), "");
  assert.equal(format("mountpoints", { "/dev/sda1": "/", "/dev/sda2": "/x" }), "/dev/sda1: /\n/dev/sda2: /x\n");
  assert.equal(format("pread", Uint8Array.of(0, 0xff, 0x0a)), "\0\xff\n");
});

test("masks are octal and identifiers hexadecimal, zero is plain", () => {
  assert.equal(format("umask", 0o22), "022\n");
  assert.equal(format("get_umask", 0), "0\n");
  assert.equal(format("part_get_mbr_id", 0x83), "0x83\n");
  assert.equal(format("fsck", 0), "0\n");
});

test("structs are a field a line, lists of them numbered", () => {
  const xattr = { attrname: "user.a", attrval: Uint8Array.from(Buffer.from("v\x01l\\\0\x7f\xe4", "latin1")) };
  assert.equal(
    format("getxattrs", [xattr, { attrname: "", attrval: new Uint8Array() }]),
    [
      "[0] = {",
      "  attrname: user.a",
      String.raw`  attrval: v\x01l\\x00\x7f\xe4`,
      "}",
      "[1] = {",
      "  attrname: ",
      "  attrval: ",
      "}",
      "",
    ].join("\n"),
  );
  assert.equal(
    format("version", { major: 1, minor: 48, release: 6, extra: "" }),
    "major: 1\nminor: 48\nrelease: 6\nextra: \n",
  );
  assert.equal(format("getxattrs", []), "");
});

test("percentages are as %g prints them", () => {
  const of = (snap: number | null): string =>
    /snap_percent: (.*)\n/.exec(format("lvs_full", [{ snap_percent: snap }]))?.[1] ?? "?";
  assert.deepEqual(
    [of(0), of(12.5), of(100), of(33.333332), of(0.00001), of(1e7), of(-1), of(null)],
    ["0 %", "12.5 %", "100 %", "33.3333 %", "1e-05 %", "1e+07 %", "", ""],
  );
});
