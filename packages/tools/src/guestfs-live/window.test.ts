import assert from "node:assert/strict";
import { it } from "node:test";
import { parseDomain } from "guestfs/internal";
import { windowXml } from "./window.ts";

it("writes a window that is read back as it was, and is none of the machine's disks", () => {
  const window = { path: "/dev/shm/a & 'b' <c>", target: "vdz" };
  const own = "<disk type='file'><source file='/images/a'/><target dev='vda'/></disk>";
  const xml = `<domain type='qemu'><name>guest</name><devices>${windowXml(window)}${own}</devices></domain>`;
  const domain = parseDomain(xml);
  assert.deepEqual(domain.window, window);
  assert.deepEqual(
    domain.disks.map((disk) => disk.first("target")?.attribute("dev")),
    ["vda"],
  );
});
