import { lstat } from "node:fs/promises";
import { dirname } from "node:path";
import { ProtocolError } from "@guestfs/protocol";
import { Connection } from "../connection.ts";
import { CancelledError, LaunchError } from "../errors.ts";
import type { Attachment } from "./attachment.ts";

/** `sun_path` of unix(7) less its final NUL, in bytes. */
const pathMax = 107;

/** What reaching a daemon on a unix socket needs. */
export interface UnixOptions {
  readonly path: string;
  /** How long connecting and the greeting may take together, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

async function explainMissing(path: string, cause: NodeJS.ErrnoException): Promise<LaunchError> {
  const start = `start a daemon: guestfsd --listen --channel ${path}`;
  let kind = "";
  try {
    const stats = await lstat(path);
    if (!stats.isSocket()) kind = stats.isDirectory() ? "a directory" : stats.isFile() ? "a regular file" : "no socket";
  } catch {
    // Gone, or not to be seen; the error of connect(2) says it.
  }
  if (kind !== "")
    return new LaunchError(`${path} is ${kind}, not a unix socket`, {
      cause,
      fix: "give the path of the daemon's socket",
    });
  switch (cause.code) {
    case "ENOENT": {
      const folder = await lstat(dirname(path)).then(
        () => true,
        () => false,
      );
      const message = folder
        ? `there is no socket ${path}`
        : `there is no socket ${path}, and no folder ${dirname(path)}`;
      return new LaunchError(message, { cause, fix: start });
    }
    case "ECONNREFUSED":
      return new LaunchError(`nobody listens on ${path}: the daemon that made it has ended`, {
        cause,
        fix: `remove the socket and ${start}`,
      });
    case "EACCES":
    case "EPERM":
      return new LaunchError(`this user may not connect to ${path}`, {
        cause,
        fix: "run as the user the daemon runs as, or change the socket's permissions",
      });
    case "EAGAIN":
      return new LaunchError(`${path} takes no more connections: others wait there already`, {
        cause,
        fix: "end the other clients, then try again",
      });
    case undefined:
    default:
      return new LaunchError(`can't connect to ${path}: ${cause.message}`, { cause });
  }
}

async function explain(path: string, error: Error): Promise<LaunchError> {
  if (error instanceof ProtocolError)
    return new LaunchError(`what answers on ${path} is no guestfsd`, {
      cause: error,
      evidence: `Where the daemon's greeting should be: ${error.message}`,
      fix: "give the path of the socket that guestfsd or its virtual machine's channel listens on",
    });
  const failure: NodeJS.ErrnoException = error;
  if (failure.syscall === "connect") return explainMissing(path, failure);
  return new LaunchError(`the peer on ${path} did not greet: ${error.message}`, {
    cause: error,
    fix: "look into the daemon's standard error or log; with a stock guestfsd, start it anew: it serves one client",
  });
}

/**
 * Connects to a daemon on a unix socket and waits for its greeting.
 * @throws LaunchError saying what was found there; CancelledError
 */
export async function attachUnix(options: UnixOptions): Promise<Attachment> {
  const { path, timeoutMs, signal } = options;
  const length = Buffer.byteLength(path);
  if (length > pathMax)
    throw new LaunchError(
      `the path of the socket is ${length} bytes long, and a unix socket's may be at most ${pathMax}: ${path}`,
      {
        fix: "make a symbolic link with a shorter path to its folder, and use that",
      },
    );
  if (signal?.aborted === true) throw new CancelledError("cancelled", { procedure: "launch", cause: signal.reason });
  const connection = Connection.to(path);
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void =>
    connection.end(new CancelledError("cancelled", { procedure: "launch", cause: signal?.reason }));
  try {
    timer = setTimeout(() => {
      connection.end(
        new LaunchError(`nobody greeted on ${path} within ${timeoutMs / 1000} s`, {
          evidence: "The connection was taken, but no guestfsd said anything.",
          fix: "end the client that uses this daemon (it serves one at a time), or start the daemon behind the socket",
        }),
      );
    }, timeoutMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    await connection.greeted();
  } catch (error) {
    connection.end(error as Error);
    if (error instanceof LaunchError || error instanceof CancelledError) throw error;
    throw await explain(path, error as Error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
  return {
    connection,
    pid: undefined,
    processEnd: () => Promise.resolve({ exitCode: null, signal: null, consoleTail: "" }),
    stop: () => Promise.resolve(),
  };
}
