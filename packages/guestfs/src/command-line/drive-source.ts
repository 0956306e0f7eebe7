import { CommandLineError } from "./command-line-error.ts";

/** What `add_drive` takes for a disk. */
export interface DriveSource {
  readonly filename: string;
  readonly protocol?: string;
  readonly server?: readonly string[];
  readonly username?: string;
  readonly secret?: string;
}

/** Protocols whose export has the leading slash of the URI's path. */
const absolute = new Set(["ftp", "ftps", "http", "https", "ssh", "tftp"]);

/**
 * Reads the argument of `-a`: a file of this host, or a URI such as `ssh://user@host/disk.img`
 * (guestfish(1), ADDING REMOTE STORAGE). Throws {@link CommandLineError} for a URI that can't be read.
 */
export function parseDriveSource(text: string): DriveSource {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return { filename: text };
  let uri: URL;
  try {
    uri = new URL(text);
  } catch {
    // The cause would show all of it.
    throw new CommandLineError(`-a ${shown(text)}: not a URI`);
  }
  const decode = (part: string): string => {
    try {
      return decodeURIComponent(part);
    } catch {
      throw new CommandLineError(`-a ${shown(text)}: it has a % that begins no character`);
    }
  };
  const protocol = uri.protocol.slice(0, -1).toLowerCase();
  const path = decode(uri.pathname);
  if (protocol === "file") return { filename: path };
  const socket = uri.searchParams.get("socket");
  if (socket !== null && uri.host !== "")
    throw new CommandLineError(`-a ${shown(text)}: a server and a socket exclude each other`);
  const server = socket !== null ? [`unix:${socket}`] : uri.host === "" ? [] : [`tcp:${decode(uri.host)}`];
  return {
    filename: absolute.has(protocol) ? path + uri.search : path.replace(/^\//, ""),
    protocol,
    ...(server.length > 0 && { server }),
    ...(uri.username !== "" && { username: decode(uri.username) }),
    ...(uri.password !== "" && { secret: decode(uri.password) }),
  };
}

/** Without what may be a password. */
function shown(uri: string): string {
  return uri.replace(/(?<=:\/\/).*@/s, "***@");
}
