import { setTimeout as delay } from "node:timers/promises";
import type { Connection } from "../connection.ts";
import { LaunchError } from "../errors.ts";
import { cancelled } from "../in-turn.ts";
import type { Attachment } from "./attachment.ts";
import type { LiveChannel, LiveDomain } from "./live-domain.ts";
import { channelIsTaken, explainLive, isHeld } from "./live-diagnosis.ts";
import { openLiveWindow } from "./live-window.ts";
import { limitToReading } from "./read-only.ts";
import { socketUse } from "./socket-use.ts";
import type { SocketUse } from "./socket-use.ts";
import { greetOnSocket, NoDaemonError, SilenceError, socketAttachment } from "./unix.ts";

/**
 * How long a daemon that has our connection may be silent, in milliseconds, at the first attempt and the second. A daemon
 * that did not see one client go and the next one come takes what we say for a part of what that one said; between the
 * attempts the channel is closed long enough for it to see that.
 */
const [firstSilenceMs, silenceMs] = [800, 3000];
const closedMs = 150;
/** How long a daemon that is there may go on being silent, in milliseconds. */
const startingMs = 5000;
/** How long to wait for another client to leave, in milliseconds. */
const takenMs = 4000;
/** Longest pause before looking again whether it has left, in milliseconds. */
const pauseMs = 32;
/** When to look whether our connection waits behind another one, in milliseconds after connecting. */
const queueLookMs = 500;

/** What attaching to a running machine needs. */
export interface LiveOptions {
  readonly domain: LiveDomain;
  /** At most so long, in milliseconds, all steps together; finding out why it failed comes on top of it. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  debug(message: string): void;
}

/** The same, on the way. */
interface Attempt extends LiveOptions {
  /** Milliseconds until the time is up. */
  left(): number;
}

async function freeChannel({ domain, left, signal }: Attempt): Promise<LiveChannel> {
  const end = Date.now() + Math.min(takenMs, left());
  for (let pause = 1; ; pause = Math.min(pause * 2, pauseMs)) {
    for (const channel of domain.channels) {
      const use = await socketUse(channel.path);
      // Where nothing is to be seen, trying tells more than guessing.
      if (!use || use.taken + use.waiting === 0) return channel;
    }
    if (Date.now() > end) throw channelIsTaken(domain);
    await delay(pause, undefined, { signal });
  }
}

async function greet(options: Attempt, channel: LiveChannel): Promise<Connection> {
  const { left, signal } = options;
  const { path } = channel;
  const attempt = (patience: number): Promise<Connection> =>
    greetOnSocket({ path, timeoutMs: Math.max(1, Math.min(patience, left())), signal, certain: true });
  try {
    return await attempt(firstSilenceMs);
  } catch (error) {
    if (!(error instanceof SilenceError || error instanceof NoDaemonError) || left() <= closedMs) throw error;
    options.debug(`${path}: ${error.message}; trying once more`);
  }
  await delay(closedMs, undefined, { signal });
  try {
    return await attempt(silenceMs);
  } catch (error) {
    // A stock daemon starts anew for each client, which takes it a while.
    if (!(error instanceof SilenceError) || left() <= 0) throw error;
    if (!(await isHeld(options.domain, channel, AbortSignal.any([signal, AbortSignal.timeout(left())])))) throw error;
    return attempt(startingMs);
  }
}

async function reach(options: Attempt, channel: LiveChannel): Promise<Connection> {
  const { domain, signal } = options;
  const { path } = channel;
  let use: Promise<SocketUse | undefined> | undefined;
  const look = setTimeout(() => {
    use = socketUse(path);
  }, queueLookMs);
  try {
    return await greet(options, channel);
  } catch (error) {
    const busy = error instanceof SilenceError && ((await use)?.waiting ?? 0) > 0;
    throw await explainLive({ domain, channel, error: error as Error, busy }, signal);
  } finally {
    clearTimeout(look);
  }
}

/** Gives uploads the domain's window, where it has one that this user may write to. */
async function withWindow(
  { domain, debug }: LiveOptions,
  channel: LiveChannel,
  connection: Connection,
): Promise<Pick<Attachment, "stop"> | undefined> {
  if (domain.window === undefined) return undefined;
  try {
    const opened = await openLiveWindow(domain.window, channel);
    if (!opened) return undefined;
    connection.window = opened.window;
    return { stop: () => opened.close() };
  } catch (error) {
    debug(`uploads go through the channel, as the window can't be used: ${(error as Error).message}`);
    return undefined;
  }
}

/**
 * Attaches to the daemon in a running machine, on the first of its channels that is free.
 * @throws LaunchError saying which of them it is: the channel is taken, no daemon runs, the machine is paused or off,
 *   the daemon does not answer; CancelledError
 */
export async function attachLive(live: LiveOptions): Promise<Attachment> {
  const end = Date.now() + live.timeoutMs;
  const options = { ...live, left: () => Math.max(0, end - Date.now()) };
  const { domain, signal } = options;
  let channel: LiveChannel;
  try {
    channel = await freeChannel(options);
  } catch (error) {
    if (signal.aborted) throw cancelled("launch", signal);
    throw error instanceof LaunchError
      ? error
      : new LaunchError(`${domain.name}: ${(error as Error).message}`, { cause: error });
  }
  options.debug(`connecting to ${domain.name}, ${channel.port}: ${channel.path}`);
  const connection = await reach(options, channel);
  const attachment = socketAttachment(connection);
  if (!domain.readonly) return { ...attachment, ...(await withWindow(options, channel, connection)) };
  const timeout = AbortSignal.timeout(options.left());
  try {
    return { ...attachment, ...(await limitToReading(connection, AbortSignal.any([signal, timeout]))) };
  } catch (error) {
    connection.end(error as Error);
    if (signal.aborted) throw cancelled("launch", signal);
    if (!timeout.aborted) throw error;
    throw new LaunchError(`the daemon in the machine ${domain.name} did not answer within ${live.timeoutMs / 1000} s`, {
      cause: error,
      fix: `in the machine: systemctl restart guestfsd-live@${channel.port}`,
    });
  }
}
