import { existsSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { findProgram, spawnOwned } from "@guestfs/qemu";
import type { OwnedProcess } from "@guestfs/qemu";
import { ApplianceError } from "./appliance-error.ts";
import { driveUrl } from "./drive-node.ts";
import type { BlockNode } from "./drive-node.ts";
import type { ApplianceDrive, DriveProtocol } from "./drive.ts";

/** The protocols of a web drive, each with those that a server may lead on to: what began encrypted stays so. */
const followed: Partial<Record<DriveProtocol, string>> = {
  http: "http,https",
  https: "https",
  ftp: "ftp,ftps",
  ftps: "ftps",
};

const PASSWORD_FD = 3;
const START_MS = 10_000;
const POLL_MS = 5;
const LAST_WORDS_MS = 1000;
// Half of what a QMP command may take, so that nbdkit's reason comes first. The guest asks six times for what it does not get.
const REQUEST_SECONDS = 15;
// A guest asks for small pieces, and each would be a request: with a delay of 20 ms, reading 1300 small files takes 1 s instead of 20. The
// cache lets go of two blocks at a request, so none may ask for more.
const cacheFilters = ["--filter=blocksize", "--filter=cache"];
const cacheSettings = ["maxdata=512K", "cache-on-read=true", "cache-min-block-size=256K", "cache-max-size=128M"];

/** Whether a drive's bytes come from a web or FTP server. */
export function isWebDrive({ protocol = "file" }: ApplianceDrive): boolean {
  return protocol in followed;
}

/** A drive that nbdkit reads from its server, for QEMU to read from nbdkit. */
export interface ServedDrive {
  /** The node that reaches nbdkit. */
  readonly node: BlockNode;
  /** Ends nbdkit, and makes of QEMU's error, which does not tell much, one that says what nbdkit met. */
  explain(error: unknown): Promise<unknown>;
}

/** What {@link serveWebDrive} needs. */
export interface ServeOptions {
  /** A 0700 folder for the socket and for the cache, which has no name. It may go when QEMU has opened the node. */
  folder: string;
  /** Tells apart the drives of one folder. */
  name: string;
  /** When QEMU is gone. */
  closed: Promise<void>;
  onDebug(line: string): void;
}

/**
 * Has nbdkit (nbdkit-curl-plugin(1)) serve a web drive on a unix socket: QEMU's own driver now and then waits for ever for an answer that
 * has come. nbdkit ends when QEMU closes its only connection, when QEMU is gone, and when this program is. What was read lately is kept in
 * a file of at most 128 MiB. The password goes through an inherited descriptor; the URL and the user name are on nbdkit's command line.
 * Certificates are checked against the system's store, or against the file that `CURL_CA_BUNDLE` or `SSL_CERT_FILE` names, as curl(1) does.
 *
 * @returns `undefined` when there is no nbdkit, or none that starts (`onDebug` hears why): QEMU's own driver is left then
 */
export async function serveWebDrive(drive: ApplianceDrive, options: ServeOptions): Promise<ServedDrive | undefined> {
  const { folder, name, closed, onDebug } = options;
  const useQemu = (reason: string): undefined => {
    onDebug(`${drive.filename}: QEMU's own driver reads it, which may stop on a busy machine, since ${reason}`);
  };
  const { secret } = drive;
  // nbdkit reads a password up to the end of a line.
  if (secret?.includes("\n") === true) return useQemu("nbdkit takes no password of several lines");
  const nbdkit = await findProgram("nbdkit").catch(() => undefined);
  if (nbdkit === undefined) return useQemu("there is no nbdkit (sudo apt-get install nbdkit)");
  const [socket, ready] = [join(folder, `${name}.sock`), join(folder, `${name}.pid`)];
  const server = await spawnOwned(nbdkit, nbdkitArguments(drive, socket, ready), {
    stdio: ["ignore", "ignore", "pipe", secret === undefined ? "ignore" : "pipe"],
    env: { ...process.env, TMPDIR: folder },
  });
  void closed.then(() => server.kill());
  let words: string | undefined;
  const stderr = server.child.stderr as Socket;
  const lines = createInterface({ input: stderr });
  lines.on("line", (line) => {
    if (line !== words) onDebug(line);
    words = line;
  });
  const spoken = new Promise<void>((resolve) => lines.once("line", () => resolve()));
  // It does not keep the program running, as QEMU does not.
  server.child.unref();
  stderr.unref();
  if (secret !== undefined) {
    const password = server.child.stdio[PASSWORD_FD] as Socket;
    password.on("error", () => undefined);
    password.end(`${secret}\n`);
    password.unref();
  }
  if (!(await listens(server, ready))) {
    server.kill();
    await server.exited;
    return useQemu(`nbdkit does not start: ${words ?? "it says nothing"}`);
  }
  onDebug(`${drive.filename}: nbdkit reads it`);
  return {
    node: { driver: "nbd", server: { type: "unix", path: socket } },
    async explain(error) {
      // What it wrote comes by another way than QEMU's error.
      await Promise.race([spoken, sleep(LAST_WORDS_MS, undefined, { ref: false })]);
      server.kill();
      return words === undefined ? error : driveProblem(drive, words, error);
    },
  };
}

function nbdkitArguments(drive: ApplianceDrive, socket: string, ready: string): string[] {
  const { protocol = "file", username, secret } = drive;
  const authorities = process.env["CURL_CA_BUNDLE"] || process.env["SSL_CERT_FILE"];
  return [
    ...["--foreground", "--readonly", "--unix", socket, "--pidfile", ready],
    ...["--filter=exitlast", ...cacheFilters, "curl"],
    ...[`url=${driveUrl(drive)}`, `protocols=${followed[protocol]}`, `timeout=${REQUEST_SECONDS}`],
    ...cacheSettings,
    ...(username === undefined ? [] : [`user=${username}`]),
    ...(secret === undefined ? [] : [`password=-${PASSWORD_FD}`]),
    ...(authorities ? [`cainfo=${authorities}`] : []),
  ];
}

/** Waits until nbdkit takes connections: then it writes its process number. */
async function listens(server: OwnedProcess, ready: string): Promise<boolean> {
  let ended = false;
  void server.exited.then(() => (ended = true));
  for (let waited = 0; !existsSync(ready); waited += POLL_MS) {
    if (ended || waited > START_MS) return false;
    await sleep(POLL_MS);
  }
  return true;
}

const fixes: readonly (readonly [RegExp, string])[] = [
  [/\b401\b|Access denied|Login denied/, "check username and secret"],
  [/'range'/, "fetch the image, and add the local file: this server can't send a part of a file"],
  [/certificate/i, "add the server's authority with update-ca-certificates(8), or name its file in SSL_CERT_FILE"],
];

/** An error of what nbdkit wrote, without what says where in nbdkit it was. */
function driveProblem(drive: ApplianceDrive, words: string, cause: unknown): ApplianceError {
  const message = words
    .replace(/^nbdkit: (curl\[\d+\]: )?(error: )?/, "")
    .replace(/^problem doing HEAD request to fetch size of URL \[(.*?)\]: (HTTP response code said error: )?/, "$1: ");
  const fix = fixes.find(([pattern]) => pattern.test(words))?.[1] ?? "";
  return new ApplianceError({ stage: "drive", message: `${drive.filename}: ${message}`, fix, cause });
}
