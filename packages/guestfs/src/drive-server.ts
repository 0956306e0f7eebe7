import type { DriveProtocol } from "@guestfs/appliance";

/** What a protocol asks of the other options. */
interface Rule {
  /** how many servers it takes */
  readonly servers: "none" | "one" | "any";
  /** whether a server may be a unix socket */
  readonly unix?: true;
  readonly username?: true;
  readonly secret?: true;
  /** how the name of the image has to begin */
  readonly name?: "slash" | "no slash";
}

const rules: Readonly<Record<DriveProtocol, Rule>> = {
  file: { servers: "none" },
  nbd: { servers: "one", unix: true },
  ssh: { servers: "one", username: true, name: "slash" },
  http: { servers: "one", username: true, secret: true, name: "slash" },
  https: { servers: "one", username: true, secret: true, name: "slash" },
  ftp: { servers: "one", username: true, secret: true, name: "slash" },
  ftps: { servers: "one", username: true, secret: true, name: "slash" },
  iscsi: { servers: "one", username: true, secret: true, name: "no slash" },
  rbd: { servers: "any", username: true, secret: true, name: "no slash" },
  gluster: { servers: "any", unix: true, name: "no slash" },
};

/** What checking gives back. */
export interface RemoteOptions {
  server?: readonly string[] | undefined;
  username?: string | undefined;
  secret?: string | undefined;
}

function checkServer(procedure: string, protocol: string, server: string, rule: Rule): void {
  const wrong = (what: string): RangeError =>
    new RangeError(`${procedure}: server: ${JSON.stringify(server)}: ${what}`);
  if (server.startsWith("unix:")) {
    if (!rule.unix) throw wrong(`${protocol} is not spoken over unix sockets`);
    if (!server.startsWith("unix:/")) throw wrong("the path of the socket has to begin with /");
    return;
  }
  const address = server.startsWith("tcp:") ? server.slice("tcp:".length) : server;
  const match = /^(?:\[[0-9A-Fa-f:.]+\]|[^:[\]/]+)(?::([0-9]+))?$/.exec(address);
  if (!match) throw wrong("is not HOST, HOST:PORT, tcp:HOST:PORT or unix:/SOCKET");
  const port = match[1];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65535)) throw wrong(`${port} is no port`);
}

/**
 * Checks what belongs to a drive that is reached over a network (guestfs(3), REMOTE STORAGE).
 * @throws RangeError naming the option
 */
export function checkRemote(
  procedure: string,
  protocol: DriveProtocol,
  filename: string,
  options: RemoteOptions,
): RemoteOptions {
  const rule = rules[protocol];
  const { server = [], username, secret } = options;
  if (rule.servers === "none" && server.length > 0)
    throw new RangeError(`${procedure}: server: the protocol ${protocol} has no servers`);
  if (rule.servers === "one" && server.length !== 1)
    throw new RangeError(
      `${procedure}: server: the protocol ${protocol} needs exactly one server, not ${server.length}`,
    );
  for (const one of server) checkServer(procedure, protocol, one, rule);
  if (username !== undefined && !rule.username)
    throw new RangeError(`${procedure}: username: the protocol ${protocol} has no user names`);
  if (username === "") throw new RangeError(`${procedure}: username: is empty`);
  if (secret !== undefined && !rule.secret)
    throw new RangeError(`${procedure}: secret: the protocol ${protocol} has no secrets`);
  if (secret !== undefined && username === undefined) throw new RangeError(`${procedure}: secret: needs a username`);
  if (rule.name === "slash" && !filename.startsWith("/"))
    throw new RangeError(`${procedure}: filename: with ${protocol} it has to begin with /`);
  if (rule.name === "no slash" && filename.startsWith("/"))
    throw new RangeError(`${procedure}: filename: with ${protocol} it must not begin with /`);
  if (filename === "" && protocol !== "nbd") throw new RangeError(`${procedure}: filename: is empty`);
  return { ...(server.length > 0 ? { server } : {}), username, secret };
}
