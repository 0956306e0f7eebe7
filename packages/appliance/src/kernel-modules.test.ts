import assert from "node:assert/strict";
import { test } from "node:test";
import { moduleFiles, staticNodes } from "./kernel-modules.ts";

const modulesDep = `kernel/drivers/virtio/virtio.ko.xz: kernel/drivers/virtio/virtio_ring.ko.xz
kernel/drivers/virtio/virtio_ring.ko.xz:
kernel/arch/x86/crypto/crc32c-intel.ko:
kernel/drivers/block/virtio_blk.ko.xz: kernel/drivers/virtio/virtio.ko.xz kernel/drivers/virtio/virtio_ring.ko.xz
`;

test("modules with all they need, each once", () => {
  const files = moduleFiles(modulesDep, ["virtio-blk", "crc32c_intel", "not_there", "virtio_ring"]);
  assert.deepEqual(
    files.map(({ path }) => path.split("/").at(-1)),
    ["virtio.ko.xz", "virtio_ring.ko.xz", "virtio_blk.ko.xz", "crc32c-intel.ko"],
  );
  assert.equal(files.find(({ path }) => path.endsWith("virtio_blk.ko.xz"))?.needs.length, 2);
  assert.deepEqual(moduleFiles("", ["virtio_blk"]), []);
});

test("devices that load their module when they are opened", () => {
  const text =
    "# Device nodes to trigger on-demand module loading.\nloop loop-control c10:237\ndm_mod mapper/control c10:236\nx y b1:2\n";
  assert.deepEqual(staticNodes(text), [
    { path: "loop-control", major: 10, minor: 237 },
    { path: "mapper/control", major: 10, minor: 236 },
  ]);
});
