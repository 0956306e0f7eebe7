import type { DomainChannel } from "guestfs/internal";
import { changeDevice, quoted } from "./domain.ts";
import type { Domain } from "./domain.ts";
import type { FoundDomain } from "./found-domain.ts";

/** A channel as libvirt takes it (libvirt: formatdomain, "Channel"); without a path it chooses one. */
export function channelXml({ port, path }: Pick<DomainChannel, "port" | "path">): string {
  const source = path === undefined ? "<source mode='bind'/>" : `<source mode='bind' path='${quoted(path)}'/>`;
  return `<channel type='unix'>${source}<target type='virtio' name='${quoted(port)}'/></channel>\n`;
}

/** Gives a domain the channels `.0` to `.count - 1`, as far as it has none. @returns those that it lacked */
export async function addChannels(domain: Domain, found: FoundDomain, count: number): Promise<string[]> {
  const added = new Set<string>();
  for (let number = 0; number < count; number++) {
    const port = `org.libguestfs.channel.${number}`;
    const xml = channelXml({ port, path: undefined });
    const places = found.active ? (["config", "live"] as const) : (["config"] as const);
    for (const when of places) {
      if (found[when].some((channel) => channel.port === port)) continue;
      await changeDevice(domain, found.uuid, { verb: "attach-device", xml, when });
      added.add(port);
    }
  }
  return [...added];
}

/** Takes all channels for guestfsd from a domain. @returns those that it had */
export async function removeChannels(domain: Domain, found: FoundDomain): Promise<string[]> {
  for (const when of ["live", "config"] as const)
    for (const channel of found[when])
      await changeDevice(domain, found.uuid, { verb: "detach-device", xml: channelXml(channel), when });
  return [...new Set([...found.live, ...found.config].map(({ port }) => port))];
}
