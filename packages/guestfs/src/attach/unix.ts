import { lstat } from "node:fs/promises";
import { dirname } from "node:path";
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
  /** Whether a greeting alone is not believed: the socket is a channel's, which may hold an earlier client's bytes. */
  readonly certain?: boolean;
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

/** Bytes came that are no guestfsd's, or none of this conversation, and no end of them. */
export class NoDaemonError extends Error {}

/** Nobody said anything in time. */
export class SilenceError extends Error {}

/** Explains why {@link greetOnSocket} failed, as far as the socket tells. */
export async function explainSocket(path: string, error: Error): Promise<LaunchError> {
  if (error instanceof NoDaemonError)
    return new LaunchError(`what answers on ${path} is no guestfsd`, {
      cause: error,
      evidence: `Where the daemon's greeting should be: ${error.message}`,
      fix: "give the path of the socket that guestfsd or its virtual machine's channel listens on",
    });
  if (error instanceof SilenceError)
    return new LaunchError(`nobody greeted on ${path} ${error.message}`, {
      evidence: "The connection was taken, but no guestfsd said anything.",
      fix: "end the client that uses this daemon (it serves one at a time), or start the daemon behind the socket",
    });
  const failure: NodeJS.ErrnoException = error;
  if (failure.syscall === "connect") return explainMissing(path, failure);
  return new LaunchError(`the peer on ${path} did not greet: ${error.message}`, {
    cause: error,
    fix: "look into the daemon's standard error or log; with a stock guestfsd, start it anew: it serves one client",
  });
}

/** Silence after which a daemon is asked whether it is there, in milliseconds; on a channel, where asking is usual. */
const [silenceMs, channelSilenceMs] = [250, 100];
/** How long bytes that are no greeting may come, in milliseconds. */
const otherBytesMs = 2000;

/**
 * Connects to a daemon on a unix socket and waits until a conversation can begin: for its greeting, or, with one that
 * greeted before or is still sending to an earlier client, for its answer to a question.
 * @throws CancelledError, SilenceError, NoDaemonError, or the socket's Error; LaunchError for a path that can't be one
 */
export async function greetOnSocket({ path, timeoutMs, signal, certain }: UnixOptions): Promise<Connection> {
  const length = Buffer.byteLength(path);
  if (length > pathMax)
    throw new LaunchError(
      `the path of the socket is ${length} bytes long, and a unix socket's may be at most ${pathMax}: ${path}`,
      {
        fix: "make a symbolic link with a shorter path to its folder, and use that",
      },
    );
  const cancelled = (): CancelledError =>
    new CancelledError("cancelled", { procedure: "launch", cause: signal?.reason });
  if (signal?.aborted === true) throw cancelled();
  const connection = Connection.to(path, certain);
  const onAbort = (): void => connection.end(cancelled());
  const giveUp = (): void =>
    connection.end(
      connection.sawOtherBytes
        ? new NoDaemonError("other bytes, and no answer to a question")
        : new SilenceError(`within ${timeoutMs / 1000} s`),
    );
  const timers = [
    setTimeout(() => connection.recover(), certain === true ? channelSilenceMs : silenceMs),
    setTimeout(() => connection.sawOtherBytes && giveUp(), otherBytesMs),
    setTimeout(giveUp, timeoutMs),
  ];
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    await connection.greeted();
    return connection;
  } catch (error) {
    connection.end(error as Error);
    throw connection.sawOtherBytes && !(error instanceof CancelledError) && !(error instanceof NoDaemonError)
      ? new NoDaemonError("other bytes, and then the end of the connection", { cause: error })
      : error;
  } finally {
    timers.forEach(clearTimeout);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** What a daemon on a socket is to a handle. */
export function socketAttachment(connection: Connection): Attachment {
  return {
    connection,
    pid: undefined,
    processEnd: () => Promise.resolve({ exitCode: null, signal: null, consoleTail: "" }),
    stop: () => Promise.resolve(),
  };
}

/**
 * Attaches to a daemon on a unix socket.
 * @throws LaunchError saying what was found there; CancelledError
 */
export async function attachUnix(options: UnixOptions): Promise<Attachment> {
  try {
    return socketAttachment(await greetOnSocket(options));
  } catch (error) {
    if (error instanceof LaunchError || error instanceof CancelledError) throw error;
    throw await explainSocket(options.path, error as Error);
  }
}
