import { isWindow, windowOf } from "./domain-window.ts";
import type { DomainWindow } from "./domain-window.ts";
import { VirshError, virsh } from "./virsh.ts";
import type { LibvirtConnection } from "./virsh.ts";
import { XmlElement } from "./xml-element.ts";

/** Names of the ports on which a guestfsd may serve: `.0`, and `.1` and so on for more clients at a time. */
const portName = /^org\.libguestfs\.channel\.(\d{1,4})$/;

/** The number at the end of a port's name; `undefined` when it is not one for guestfsd. */
export function portNumber(name: string): number | undefined {
  const number = portName.exec(name)?.[1];
  return number === undefined ? undefined : Number(number);
}

/** A channel of a domain that is meant for guestfsd. */
export interface DomainChannel {
  /** Name of the virtio port in the machine, such as `org.libguestfs.channel.0`. */
  readonly port: string;
  /** The unix socket on this host; `undefined` while libvirt has not chosen one. */
  readonly path: string | undefined;
  /** Whether something in the machine holds the port; `undefined` when libvirt does not tell. */
  readonly connected: boolean | undefined;
}

/** What libvirt knows of a domain. */
export interface Domain {
  readonly name: string;
  readonly uuid: string;
  /** Whether it has a process: running, paused, or in between. */
  readonly active: boolean;
  /** Channels for guestfsd, in the order of their ports' numbers. */
  readonly channels: readonly DomainChannel[];
  /** Elements `disk`, but for the window's. */
  readonly disks: readonly XmlElement[];
  /** The disk for its clients' windows. */
  readonly window: DomainWindow | undefined;
}

function channelsOf(devices: XmlElement | undefined): DomainChannel[] {
  const channels = (devices?.all("channel") ?? []).flatMap((channel) => {
    const target = channel.first("target");
    const port = target?.attribute("name") ?? "";
    const number = portNumber(port);
    if (channel.attribute("type") !== "unix" || target?.attribute("type") !== "virtio" || number === undefined)
      return [];
    const source = channel.first("source");
    const path = (source?.attribute("mode") ?? "bind") === "bind" ? source?.attribute("path") : undefined;
    const state = target.attribute("state");
    const connected = state === undefined ? undefined : state === "connected";
    return [{ number, channel: { port, path, connected } }];
  });
  return channels.sort((a, b) => a.number - b.number).map(({ channel }) => channel);
}

/**
 * Reads a domain's description (libvirt: formatdomain), as `virsh dumpxml` prints it.
 * @throws Error saying what is wrong with it
 */
export function parseDomain(xml: string): Domain {
  const root = XmlElement.parse(xml);
  if (root.name !== "domain") throw new Error(`its root is ${root.name}, not domain`);
  const name = root.first("name")?.text ?? "";
  if (name === "") throw new Error("the domain has no name");
  const devices = root.first("devices");
  const disks = devices?.all("disk") ?? [];
  const windowDisk = disks.find(isWindow);
  return {
    name,
    uuid: root.first("uuid")?.text ?? "",
    active: root.attribute("id") !== undefined,
    channels: channelsOf(devices),
    disks: disks.filter((disk) => disk !== windowDisk),
    window: windowDisk && windowOf(windowDisk),
  };
}

/** What says which domain is meant. */
export interface DomainQuestion {
  readonly connection: LibvirtConnection;
  readonly name: string;
  /** Whether `name` may be a UUID. */
  readonly allowUuid: boolean;
}

async function describe(connection: LibvirtConnection, domain: string, signal?: AbortSignal): Promise<Domain> {
  const xml = await virsh(connection, ["dumpxml", "--domain", domain], signal);
  try {
    return parseDomain(xml);
  } catch (error) {
    throw new VirshError(
      "refused",
      `libvirt's description of ${domain} can't be read: ${(error as Error).message}`,
      "",
      error,
    );
  }
}

async function unknown({ connection, name }: DomainQuestion, signal?: AbortSignal): Promise<VirshError> {
  const names = (await virsh(connection, ["list", "--all", "--name"], signal).catch(() => ""))
    .split("\n")
    .filter((line) => line !== "");
  const where = connection.uri === undefined ? "libvirt" : `libvirt (${connection.uri})`;
  const known =
    names.length === 0 ? "none at all" : `${names.slice(0, 20).join(", ")}${names.length > 20 ? ", ..." : ""}`;
  return new VirshError(
    "no such domain",
    `${where} has no domain ${JSON.stringify(name)}; it has ${known}`,
    connection.uri === undefined
      ? "domains of another user or of the system are seen with another connection: libvirturi (-c), such as qemu:///system"
      : "",
    undefined,
  );
}

/**
 * Asks libvirt for a domain as it is now.
 * @throws VirshError
 */
export async function findDomain(question: DomainQuestion, signal?: AbortSignal): Promise<Domain> {
  const { connection, name, allowUuid } = question;
  if (name === "") throw await unknown(question, signal);
  const isMeant = (domain: Domain): boolean =>
    domain.name === name || (allowUuid && domain.uuid.toLowerCase() === name.toLowerCase());
  try {
    // virsh takes a number or a UUID as well, and a domain may have another one's as its name.
    const domain = await describe(connection, name, signal);
    if (isMeant(domain)) return domain;
    const list = await virsh(connection, ["list", "--all", "--uuid", "--name"], signal);
    const uuid = list
      .split("\n")
      .find((line) => line.slice(37) === name)
      ?.slice(0, 36);
    if (uuid !== undefined) return await describe(connection, uuid, signal);
  } catch (error) {
    if (!(error instanceof VirshError && error.failure === "no such domain")) throw error;
  }
  throw await unknown(question, signal);
}

/**
 * What a domain does: `running`, `paused`, `shut off` and so on (virsh(1), domstate).
 * @throws VirshError
 */
export async function domainState(connection: LibvirtConnection, uuid: string, signal?: AbortSignal): Promise<string> {
  return (await virsh(connection, ["domstate", "--domain", uuid], signal)).trim();
}
