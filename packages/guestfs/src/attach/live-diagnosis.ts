import { CancelledError, LaunchError } from "../errors.ts";
import { domainState, findDomain } from "../libvirt/domain.ts";
import { VirshError } from "../libvirt/virsh.ts";
import type { LiveChannel, LiveDomain } from "./live-domain.ts";
import { explainSocket, NoDaemonError, SilenceError } from "./unix.ts";

/** How long libvirt may take to say what it knows of a failure, in milliseconds. */
const patienceMs = 10_000;

/** How attaching to a machine ended. */
export interface LiveFailure {
  readonly domain: LiveDomain;
  readonly channel: LiveChannel;
  readonly error: Error;
  /** Whether our connection had to wait behind another one. */
  readonly busy: boolean;
}

function virshCommand({ connection }: LiveDomain, words: string): string {
  return `virsh ${connection.uri === undefined ? "" : `-c ${connection.uri} `}${words}`;
}

/** Another program has the channel, or all of them. */
export function channelIsTaken({ name, channels }: LiveDomain, cause?: Error): LaunchError {
  const [first, ...others] = channels;
  const what =
    others.length === 0
      ? `another client holds the channel of ${name}`
      : `other clients hold all ${channels.length} channels of ${name}`;
  return new LaunchError(what, {
    cause,
    evidence: channels.map(({ port, path }) => `${port}: ${path}`).join("\n"),
    fix: `wait for it to end or end it (ss -xp | grep '${first?.path ?? ""}' shows it), or give the machine another channel: guestfs-live enable ${name} --channels ${channels.length + 1}`,
  });
}

/** Whether the machine runs and something in it holds the channel, as far as libvirt knows, and says before the signal. */
export async function isHeld(
  { connection, uuid }: LiveDomain,
  channel: LiveChannel,
  signal: AbortSignal,
): Promise<boolean> {
  const state = await domainState(connection, uuid, signal).catch(() => "");
  if (state !== "running") return false;
  const now = await findDomain({ connection, name: uuid, allowUuid: true }, signal).catch(() => undefined);
  return now?.channels.find(({ port }) => port === channel.port)?.connected === true;
}

function notActive(domain: LiveDomain, state: string, cause: Error): LaunchError {
  const { name } = domain;
  if (state === "paused" || state === "pmsuspended")
    return new LaunchError(
      `the machine ${name} is ${state === "paused" ? "paused" : "asleep"}, so nothing in it answers`,
      {
        cause,
        fix: virshCommand(domain, `${state === "paused" ? "resume" : "dompmwakeup"} ${name}`),
      },
    );
  return new LaunchError(`the machine ${name} is off (${state}): it was on when it was looked up`, {
    cause,
    fix: `${virshCommand(domain, `start ${name}`)}, or add its disks without live`,
  });
}

/**
 * Says why a running machine's daemon was not reached, with what libvirt knows.
 * @returns the error to throw
 */
export async function explainLive(failure: LiveFailure, signal: AbortSignal): Promise<Error> {
  const { domain, channel, error, busy } = failure;
  if (error instanceof CancelledError || error instanceof LaunchError) return error;
  const { connection, name, uuid } = domain;
  let state: string;
  let connected: boolean | undefined;
  const limited = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  try {
    state = await domainState(connection, uuid, limited);
    const now =
      state === "shut off" ? undefined : await findDomain({ connection, name: uuid, allowUuid: true }, limited);
    connected = now?.channels.find(({ port }) => port === channel.port)?.connected;
  } catch (cause) {
    if (signal.aborted) return new CancelledError("cancelled", { procedure: "launch", cause: signal.reason });
    if (cause instanceof VirshError && cause.failure === "no such domain")
      return new LaunchError(`the machine ${name} is gone: libvirt no longer knows it`, { cause: error });
    return explainSocket(channel.path, error);
  }
  if (/^(?:shut off|crashed|paused|pmsuspended|dying)$/.test(state)) return notActive(domain, state, error);
  if (busy) return channelIsTaken(domain, error);
  const where = `port ${channel.port} of ${name}`;
  if (connected === false)
    return new LaunchError(`guestfsd is not running in the machine ${name}: nothing in it holds ${where}`, {
      cause: error,
      evidence: `The machine is ${state}, and libvirt says state='disconnected' of the channel.`,
      fix: `in the machine: systemctl start guestfsd-live@${channel.port}; to put guestfsd into it: guestfs-live install -d ${name} (machine off). A stock guestfsd ends with its client and has to be started again.`,
    });
  if ((error instanceof SilenceError || error instanceof NoDaemonError) && connected === true)
    return new LaunchError(`something in the machine ${name} holds ${where}, and neither greets nor answers`, {
      cause: error,
      evidence: `The machine is ${state}, and libvirt says state='connected' of the channel.`,
      fix: `if it is the stock daemon, which greets only its first client, it needs a restart (in the machine: systemctl restart guestfsd); ours may be in the middle of a long call: try again, then systemctl restart guestfsd-live@${channel.port}`,
    });
  return explainSocket(channel.path, error);
}
