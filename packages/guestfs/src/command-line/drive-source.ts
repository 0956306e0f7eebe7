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

/** Protocols whose servers are told what stands behind the `?`. */
const queried = new Set(["ftp", "ftps", "http", "https"]);

// The parts of a URI with an authority, and no others than the characters that each may have (RFC 3986, appendix A).
const character = String.raw`[\w.~!$&'()*+,;=:@/-]|%[0-9a-f]{2}`;
const uriPattern = new RegExp(
  [
    "^(?<scheme>[a-z][a-z0-9+.-]*)://",
    String.raw`(?:(?<user>(?:[\w.~!$&'()*+,;=-]|%[0-9a-f]{2})*)(?::(?<password>(?:[\w.~!$&'()*+,;=:-]|%[0-9a-f]{2})*))?@)?`,
    String.raw`(?<host>\[[0-9a-f:.]+\]|(?:[\w.~!$&'()*+,;=-]|%[0-9a-f]{2})*)(?::(?<port>\d+))?`,
    `(?<path>(?:/(?:${character})*)?)`,
    String.raw`(?:\?(?<query>(?:${character}|\?)*))?`,
    String.raw`(?:#(?:${character}|\?)*)?$`,
  ].join(""),
  "i",
);

/**
 * Reads the argument of `-a`: a file of this host, or a URI such as `ssh://user@host/disk.img`
 * (guestfish(1), ADDING REMOTE STORAGE). Nothing of it is changed but what `%` stands for. Throws
 * {@link CommandLineError} for a URI that can't be read.
 */
export function parseDriveSource(text: string): DriveSource {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return { filename: text };
  const { scheme, user, password, host, port, path, query } = uriPattern.exec(text)?.groups ?? {};
  if (scheme === undefined || host === undefined || path === undefined)
    throw new CommandLineError(`-a ${withoutPassword(text)}: not a URI`);
  const protocol = scheme.toLowerCase();
  const decode = (part: string): string => decodePart(part, text);
  if (protocol === "file") return { filename: decode(path) };
  const socket = new URLSearchParams((query ?? "").replaceAll("+", "%2B")).get("socket");
  if (socket !== null && host !== "")
    throw new CommandLineError(`-a ${withoutPassword(text)}: a server and a socket exclude each other`);
  const address = decode(host) + (port === undefined ? "" : `:${port}`);
  const server = socket !== null ? [`unix:${socket}`] : host === "" ? [] : [`tcp:${address}`];
  const filename = absolute.has(protocol) ? decode(path) : decode(path).replace(/^\//, "");
  return {
    filename: queried.has(protocol) && query !== undefined ? `${filename}?${query}` : filename,
    protocol,
    ...(server.length > 0 && { server }),
    ...(user !== undefined && user !== "" && { username: decode(user) }),
    ...(password !== undefined && password !== "" && { secret: decode(password) }),
  };
}

/** Messages are shown and kept. */
function withoutPassword(text: string): string {
  const start = text.indexOf("://") + 3;
  const at = text.lastIndexOf("@");
  return at < start ? text : `${text.slice(0, start)}***${text.slice(at)}`;
}

function decodePart(part: string, text: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    throw new CommandLineError(`-a ${withoutPassword(text)}: has a % that begins no character`, { cause: error });
  }
}
