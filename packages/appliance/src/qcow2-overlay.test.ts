import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { runOwned } from "@guestfs/qemu";
import { emptyQcow2 } from "./qcow2-overlay.ts";

const folder = await mkdtemp(join(tmpdir(), "qcow2-test-"));
after(() => rm(folder, { recursive: true }));

test("QEMU finds nothing wrong with an empty image", async () => {
  for (const bytes of [0, 1, 512, 513, 1e6, 2 ** 29, 2 ** 29 + 1, 10 * 2 ** 40, 2 ** 51]) {
    const path = join(folder, "image.qcow2");
    await writeFile(path, emptyQcow2(bytes));
    const { stdout } = await runOwned("qemu-img", ["check", "--output=json", path]);
    const report = JSON.parse(stdout.toString("utf8")) as Record<string, number>;
    assert.deepEqual([report["corruptions"], report["leaks"], report["check-errors"]], [undefined, undefined, 0]);
    const info = await runOwned("qemu-img", ["info", "--output=json", path]);
    const { "virtual-size": size } = JSON.parse(info.stdout.toString("utf8")) as Record<string, number>;
    assert.equal(size, Math.ceil(bytes / 512) * 512);
  }
});

test("what QEMU would not take is refused", () => {
  assert.throws(() => emptyQcow2(2 ** 51 + 1), /more than 2 PiB/);
});
