import { ApplianceError } from "./appliance-error.ts";
import type { ApplianceDrive, DriveProtocol } from "./drive.ts";

/** A block node as QMP's `blockdev-add` takes it. */
export type BlockNode = { driver: string } & Record<string, unknown>;

const defaultPorts: Partial<Record<DriveProtocol, number>> = { nbd: 10809, ssh: 22, gluster: 24007, iscsi: 3260 };

const problem = (drive: ApplianceDrive, message: string, fix = ""): ApplianceError =>
  new ApplianceError({ stage: "drive", message: `${drive.filename}: ${message}`, fix });

type Server = { type: "inet"; host: string; port: string } | { type: "unix"; path: string };

/** Splits `HOST`, `HOST:PORT`, `[IPv6]:PORT`, `tcp:HOST:PORT` or `unix:PATH` (guestfs(3), `add_drive`, "server"). */
export function parseServer(text: string, defaultPort: number): Server {
  if (text.startsWith("unix:")) return { type: "unix", path: text.slice("unix:".length) };
  const address = text.startsWith("tcp:") ? text.slice("tcp:".length) : text;
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined)
    throw new TypeError(`server: ${text} is neither HOST, HOST:PORT, tcp:HOST:PORT nor unix:PATH`);
  return { type: "inet", host, port: match?.[3] ?? String(defaultPort) };
}

function onlyServer(drive: ApplianceDrive): Server {
  const [first, ...more] = drive.server ?? [];
  if (first === undefined || more.length > 0)
    throw problem(drive, `protocol ${drive.protocol} takes exactly one server`);
  return parseServer(first, defaultPorts[drive.protocol ?? "file"] ?? 0);
}

/** The URL of a drive that a web or FTP server has. @throws ApplianceError of stage `drive` */
export function driveUrl(drive: ApplianceDrive): string {
  const [first] = drive.server ?? [];
  if (first === undefined || drive.server?.length !== 1)
    throw problem(drive, `protocol ${drive.protocol} takes exactly one server`);
  const [path = "", ...query] = drive.filename.replace(/^\/?/, "/").split("?");
  // The path is a name, and gets its escapes here; a query is already what it has to be.
  const name = encodeURI(path).replaceAll("#", "%23");
  return [`${drive.protocol}://${first.replace(/^tcp:/, "")}${name}`, ...query].join("?");
}

/** A drive's secret as QEMU is told it, in base64. A key of Ceph is that already, as `ceph auth` prints it. */
export function encodedSecret({ protocol, secret = "" }: ApplianceDrive): string {
  return protocol === "rbd" ? secret : Buffer.from(secret).toString("base64");
}

/**
 * The node that carries a drive's bytes: for a file `file` or `host_device`, else the protocol's driver with what it needs (QEMU QMP
 * Reference Manual, BlockdevOptions). Caching, discard and read-only are the caller's.
 *
 * @param secretId id of the secret object, when the drive has a secret
 * @throws ApplianceError of stage `drive`
 */
export function protocolNode(drive: ApplianceDrive, isBlockDevice: boolean, secretId: string | undefined): BlockNode {
  const { filename, protocol = "file" } = drive;
  const user = drive.username;
  switch (protocol) {
    case "file":
      return { driver: isBlockDevice ? "host_device" : "file", filename };
    case "nbd":
      return {
        driver: "nbd",
        server: onlyServer(drive),
        ...(filename === "" ? {} : { export: filename.replace(/^\//, "") }),
      };
    case "ssh": {
      const server = onlyServer(drive);
      if (server.type === "unix") throw problem(drive, "ssh can't use a unix socket");
      return {
        driver: "ssh",
        server: { host: server.host, port: server.port },
        path: filename,
        ...(user === undefined ? {} : { user }),
      };
    }
    case "http":
    case "https":
    case "ftp":
    case "ftps":
      return {
        driver: protocol,
        url: driveUrl(drive),
        ...(user === undefined ? {} : { username: user }),
        ...(secretId === undefined ? {} : { "password-secret": secretId }),
      };
    case "iscsi": {
      const server = onlyServer(drive);
      const [target = "", lun = "0"] = filename.replace(/^\//, "").split("/");
      if (server.type === "unix") throw problem(drive, "iscsi can't use a unix socket");
      return {
        driver: "iscsi",
        transport: "tcp",
        portal: `${server.host.includes(":") ? `[${server.host}]` : server.host}:${server.port}`,
        target,
        lun: Number(lun),
        ...(user === undefined ? {} : { user }),
        ...(secretId === undefined ? {} : { "password-secret": secretId }),
      };
    }
    case "rbd": {
      const [pool = "", ...image] = filename.replace(/^\//, "").split("/");
      const server = (drive.server ?? []).map((text) => parseServer(text, 6789));
      return {
        driver: "rbd",
        pool,
        image: image.join("/"),
        ...(server.length === 0
          ? {}
          : { server: server.map((one) => (one.type === "inet" ? { host: one.host, port: one.port } : one)) }),
        ...(user === undefined ? {} : { user }),
        ...(secretId === undefined ? {} : { "key-secret": secretId }),
      };
    }
    case "gluster": {
      const [volume = "", ...path] = filename.replace(/^\//, "").split("/");
      const server = (drive.server ?? []).map((text) => parseServer(text, defaultPorts.gluster ?? 0));
      if (server.length === 0) throw problem(drive, "protocol gluster needs a server");
      return { driver: "gluster", volume, path: path.join("/"), server };
    }
  }
}
