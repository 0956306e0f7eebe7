import assert from "node:assert/strict";
import { test } from "node:test";
import { procedureByName } from "@guestfs/schema";
import type { Procedure } from "@guestfs/schema";
import { traceOfCall, traceOfError, traceOfResult } from "./trace.ts";

function row(name: string): Procedure {
  const found = procedureByName.get(name);
  assert.ok(found);
  return found;
}

test("calls", () => {
  assert.equal(
    traceOfCall(row("mount"), { mountable: "/dev/sda1", mountpoint: "/" }, undefined),
    'mount "/dev/sda1" "/"',
  );
  assert.equal(
    traceOfCall(row("add_drive"), { filename: "/d", readonly: true, format: "raw" }, undefined),
    'add_drive "/d" "readonly:true" "format:raw"',
  );
  assert.equal(traceOfCall(row("upload"), { remotefilename: "/f" }, new Uint8Array(3)), 'upload <3 bytes> "/f"');
  assert.equal(traceOfCall(row("set_append"), { append: null }, undefined), "set_append NULL");
  assert.equal(
    traceOfCall(row("write"), { path: "/f", content: Buffer.from("a\n\xff", "latin1") }, undefined),
    'write "/f" "a\\n\\xff"',
  );
  assert.equal(
    traceOfCall(row("vgcreate"), { volgroup: "VG", physvols: ["/dev/sda1", "/dev/sda2"] }, undefined),
    'vgcreate "VG" "/dev/sda1 /dev/sda2"',
  );
});

test("secrets are never shown", () => {
  const text = [
    traceOfCall(row("luks_open"), { device: "/dev/sda1", key: "hunter2", mapname: "m" }, undefined),
    traceOfCall(row("set_libvirt_requested_credential"), { index: 0, cred: Buffer.from("hunter2") }, undefined),
    traceOfCall(row("add_drive"), { filename: "x", protocol: "rbd", username: "u", secret: "hunter2" }, undefined),
  ].join("\n");
  assert.match(text, /luks_open "\/dev\/sda1" \*\*\* "m"/);
  assert.doesNotMatch(text, /hunter2/);
});

test("every parameter that is a key is hidden", async () => {
  const { procedures, camelCase } = await import("@guestfs/schema");
  for (const one of procedures) {
    const args: Record<string, unknown> = {};
    for (const parameter of one.params) args[camelCase(parameter.name)] = parameter.of === "key" ? "hunter2" : "x";
    assert.doesNotMatch(traceOfCall(one, args, "file"), /hunter2/, one.name);
  }
});

test("results", () => {
  assert.equal(traceOfResult(row("mount"), undefined), "mount = 0");
  assert.equal(traceOfResult(row("is_dir"), true), "is_dir = 1");
  assert.equal(traceOfResult(row("list_devices"), ["/dev/sda", "/dev/sdb"]), 'list_devices = ["/dev/sda", "/dev/sdb"]');
  assert.equal(traceOfResult(row("mountpoints"), { "/dev/sda": "/" }), 'mountpoints = ["/dev/sda", "/"]');
  assert.equal(traceOfResult(row("lvs_full"), [{}, {}]), "lvs_full = <struct guestfs_lvm_lv_list(2)>");
  assert.equal(
    traceOfResult(row("read_file"), new Uint8Array(300)).endsWith("<truncated, original size 300 bytes>"),
    true,
  );
  assert.equal(traceOfResult(row("get_append"), null), "get_append = NULL");
  assert.equal(traceOfError(row("mount")), "mount = -1 (error)");
  assert.equal(traceOfError(row("cat")), "cat = NULL (error)");
});
