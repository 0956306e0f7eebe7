import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findDomain, parseDomain, virsh, VirshError } from "guestfs/internal";
import type { DomainChannel, LibvirtConnection } from "guestfs/internal";
import { ToolError } from "../tool-error.ts";

/** A domain of libvirt, as the command line names it. */
export interface Domain {
  readonly connection: LibvirtConnection;
  readonly name: string;
}

/** Runs what asks libvirt, and makes one message with the way out of what it says when it fails. */
export async function withLibvirt<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof VirshError)) throw error;
    throw new ToolError(error.fix === "" ? error.message : `${error.message}\nTo fix it: ${error.fix}`, {
      cause: error,
    });
  }
}

const quoted = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("'", "&apos;");

/** A channel as libvirt takes it (libvirt: formatdomain, "Channel"); without a path it chooses one. */
export function channelXml({ port, path }: Pick<DomainChannel, "port" | "path">): string {
  const source = path === undefined ? "<source mode='bind'/>" : `<source mode='bind' path='${quoted(path)}'/>`;
  return `<channel type='unix'>${source}<target type='virtio' name='${quoted(port)}'/></channel>\n`;
}

async function device(
  verb: "attach-device" | "detach-device",
  { connection }: Domain,
  uuid: string,
  xml: string,
  where: readonly string[],
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "guestfs-live-"));
  try {
    const file = join(folder, "channel.xml");
    writeFileSync(file, xml);
    await virsh(connection, [verb, "--domain", uuid, "--file", file, ...where]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The channels that the domain has now and those that it will have at its next start. */
async function channelsOf({ connection, name }: Domain): Promise<{
  uuid: string;
  active: boolean;
  live: readonly DomainChannel[];
  config: readonly DomainChannel[];
}> {
  const { uuid, active, channels } = await findDomain({ connection, name, allowUuid: true });
  if (!active) return { uuid, active, live: [], config: channels };
  const inactive = await virsh(connection, ["dumpxml", "--inactive", "--domain", uuid]).catch((error: unknown) => {
    // A transient domain has no such thing.
    if (error instanceof VirshError && error.failure === "refused") return undefined;
    throw error;
  });
  return { uuid, active, live: channels, config: inactive === undefined ? [] : parseDomain(inactive).channels };
}

/** Gives a domain the channels `.0` to `.count - 1`, as far as it has none: now, when it runs, and for its next start. */
export async function enable(domain: Domain, count: number): Promise<void> {
  await withLibvirt(async () => {
    const { uuid, active, live, config } = await channelsOf(domain);
    const added = new Set<string>();
    for (let number = 0; number < count; number++) {
      const port = `org.libguestfs.channel.${number}`;
      const xml = channelXml({ port, path: undefined });
      const lacks = (channels: readonly DomainChannel[]): boolean => !channels.some((channel) => channel.port === port);
      if (lacks(config)) {
        await device("attach-device", domain, uuid, xml, ["--config"]);
        added.add(port);
      }
      if (active && lacks(live)) {
        await device("attach-device", domain, uuid, xml, ["--live"]);
        added.add(port);
      }
    }
    const { name } = domain;
    if (added.size === 0) console.log(`${name} has ${count === 1 ? "its channel" : `${count} channels`} already`);
    else console.log(`${name} has ${[...added].join(", ")}${active ? "" : ", from its next start on"}`);
  });
}

/** Takes all channels for guestfsd from a domain: now, when it runs, and for its next start. */
export async function disable(domain: Domain): Promise<void> {
  await withLibvirt(async () => {
    const { uuid, live, config } = await channelsOf(domain);
    for (const channel of live) await device("detach-device", domain, uuid, channelXml(channel), ["--live"]);
    for (const channel of config) await device("detach-device", domain, uuid, channelXml(channel), ["--config"]);
    const ports = new Set([...live, ...config].map(({ port }) => port));
    if (ports.size === 0) console.log(`${domain.name} has no channel for guestfsd`);
    else console.log(`${domain.name} has lost ${[...ports].join(", ")}`);
  });
}
