import assert from "node:assert/strict";
import { it } from "node:test";
import { parseDomain } from "guestfs/internal";
import { channelXml } from "./channels.ts";

it("writes a channel that is read back as it was", () => {
  const channel = { port: "org.libguestfs.channel.0", path: "/run/a & 'b' <c>" };
  const xml = `<domain type='qemu'><name>guest</name><devices>${channelXml(channel)}</devices></domain>`;
  assert.deepEqual(parseDomain(xml).channels, [{ ...channel, connected: undefined }]);
});

it("leaves the path to libvirt when it has none", () => {
  assert.equal(
    channelXml({ port: "org.libguestfs.channel.1", path: undefined }),
    "<channel type='unix'><source mode='bind'/><target type='virtio' name='org.libguestfs.channel.1'/></channel>\n",
  );
});
