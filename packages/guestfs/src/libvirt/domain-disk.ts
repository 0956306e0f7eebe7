import type { DriveOptions } from "../drives.ts";
import { virsh } from "./virsh.ts";
import type { LibvirtConnection } from "./virsh.ts";
import type { XmlElement } from "./xml-element.ts";

/** A disk of a domain, as `add_drive` takes it. */
export interface DomainDisk {
  readonly filename: string;
  readonly options: DriveOptions;
  /** The domain's own `<readonly/>`. */
  readonly readonly: boolean;
  /** Serial number in the machine; empty when it has none that the appliance could give it. */
  readonly serial: string;
}

/** A disk of a domain that can't be added; `message` says why. */
export class DiskError extends Error {}

function serverOf(host: XmlElement): string {
  const socket = host.attribute("socket");
  if (host.attribute("transport") === "unix" || socket !== undefined) return `unix:${socket ?? ""}`;
  const name = host.attribute("name") ?? "localhost";
  const port = host.attribute("port");
  const bracketed = name.includes(":") ? `[${name}]` : name;
  return port === undefined || port === "0" ? bracketed : `${bracketed}:${port}`;
}

async function secretOf(connection: LibvirtConnection, secret: XmlElement, signal?: AbortSignal): Promise<string> {
  let uuid = secret.attribute("uuid");
  const usage = secret.attribute("usage");
  if (uuid === undefined && usage !== undefined) {
    const list = await virsh(connection, ["secret-list"], signal);
    const rows = list.split("\n").map((line) => /^\s*([0-9a-f-]{36})\s+\S+\s+(.*?)\s*$/i.exec(line));
    uuid = rows.find((row) => row?.[2] === usage)?.[1];
  }
  if (uuid === undefined) throw new DiskError("its secret is none that libvirt has");
  const base64 = (await virsh(connection, ["secret-get-value", "--secret", uuid], signal)).trim();
  // Ceph's keys are base64 text themselves.
  return secret.attribute("type") === "ceph" ? base64 : Buffer.from(base64, "base64").toString("utf8");
}

interface Source {
  readonly filename: string;
  readonly options: DriveOptions;
}

async function networkSource(
  connection: LibvirtConnection,
  disk: XmlElement,
  source: XmlElement,
  signal?: AbortSignal,
): Promise<Source> {
  const protocol = source.attribute("protocol") ?? "";
  const name = source.attribute("name") ?? "";
  const server = source.all("host").map(serverOf);
  const auth = source.first("auth") ?? disk.first("auth");
  const username = auth?.attribute("username");
  const secretElement = auth?.first("secret");
  const secret = secretElement ? await secretOf(connection, secretElement, signal) : undefined;
  const query = source.attribute("query");
  const absolute = ["http", "https", "ftp", "ftps", "ssh"].includes(protocol);
  const path = absolute && !name.startsWith("/") ? `/${name}` : absolute ? name : name.replace(/^\//, "");
  return {
    filename: query === undefined ? path : `${path}?${query}`,
    options: {
      protocol,
      ...(server.length > 0 ? { server } : {}),
      ...(username === undefined ? {} : { username }),
      ...(secret === undefined ? {} : { secret }),
    },
  };
}

async function sourceOf(
  connection: LibvirtConnection,
  disk: XmlElement,
  signal?: AbortSignal,
): Promise<Source | undefined> {
  const source = disk.first("source");
  const type = disk.attribute("type") ?? "file";
  if (!source) return undefined;
  switch (type) {
    case "file":
    case "block": {
      const filename = source.attribute(type === "file" ? "file" : "dev");
      return filename === undefined ? undefined : { filename, options: {} };
    }
    case "network":
      return networkSource(connection, disk, source, signal);
    case "volume": {
      const [pool, volume] = [source.attribute("pool"), source.attribute("volume")];
      if (pool === undefined || volume === undefined) return undefined;
      const path = await virsh(connection, ["vol-path", "--pool", pool, "--vol", volume], signal);
      return { filename: path.trim(), options: {} };
    }
    default:
      throw new DiskError(`disks of type "${type}" can't be added`);
  }
}

/**
 * Reads an element `disk` of a domain (libvirt: formatdomain, "Hard drives, floppy disks, CDROMs").
 * @returns `undefined` for a drive without a medium
 * @throws DiskError naming the disk; VirshError when its volume or secret can't be had
 */
export async function readDomainDisk(
  connection: LibvirtConnection,
  disk: XmlElement,
  signal?: AbortSignal,
): Promise<DomainDisk | undefined> {
  const target = disk.first("target")?.attribute("dev") ?? "";
  try {
    const source = await sourceOf(connection, disk, signal);
    if (!source) return undefined;
    if (disk.first("encryption") ?? disk.first("source")?.first("encryption"))
      throw new DiskError("it is encrypted by QEMU, with a key that this library does not use");
    const format = disk.first("driver")?.attribute("type");
    const sector = disk.first("blockio")?.attribute("logical_block_size");
    const serial = disk.first("serial")?.text ?? "";
    return {
      filename: source.filename,
      options: {
        ...source.options,
        ...(format === undefined ? {} : { format }),
        ...(target === "" ? {} : { name: target }),
        ...(sector === "4096" ? { blocksize: 4096 } : {}),
      },
      readonly: disk.first("readonly") !== undefined,
      serial: /^[A-Za-z0-9_.-]{1,20}$/.test(serial) ? serial : "",
    };
  } catch (error) {
    if (error instanceof DiskError) throw new DiskError(`disk ${target}: ${error.message}`, { cause: error });
    throw error;
  }
}
