import { attach } from "./attach/attach.ts";
import type { Attachment } from "./attach/attachment.ts";
import { CallContext } from "./call-context.ts";
import type { Connection } from "./connection.ts";
import { CancelledError, ConnectionClosedError, LaunchError, ProtocolError, StateError } from "./errors.ts";
import type { Handle } from "./handle.ts";
import { cancelled } from "./in-turn.ts";
import { requireConfig } from "./state.ts";

/** What a call under way learns when its daemon went away. */
async function explainLoss(attachment: Attachment, error: Error, procedure: string): Promise<Error> {
  const end = await attachment.processEnd();
  const tail = end.consoleTail === "" ? "" : `\nThe last of its console:\n${end.consoleTail.trimEnd()}`;
  if (error instanceof ConnectionClosedError) return new ConnectionClosedError(error.message, { procedure, ...end });
  if (error instanceof ProtocolError)
    return new ProtocolError(`${procedure}: ${error.message}${tail}`, { cause: error });
  const status = end.signal ?? (end.exitCode === null ? "" : `exit status ${end.exitCode}`);
  const what =
    attachment.pid === undefined
      ? error.message
      : `the appliance went away${status === "" ? "" : ` (${status})`}: ${error.message}`;
  return new ConnectionClosedError(`${what}${tail}`, { procedure, cause: error, ...end });
}

/** Ends what was reached too late, or was lost at once. @returns the error to throw */
async function abandon(attachment: Attachment, signal: AbortSignal): Promise<Error> {
  const { connection } = attachment;
  const { failure } = connection;
  const end = failure && (await attachment.processEnd());
  connection.end(new ConnectionClosedError("the launch was cancelled"));
  await attachment.stop();
  if (!failure) return cancelled("launch", signal);
  return new LaunchError(`the daemon greeted, and then the conversation ended: ${failure.message}`, {
    cause: failure,
    evidence: end?.consoleTail,
    ...end,
  });
}

/**
 * Reaches a daemon: state READY.
 * @throws LaunchError, CancelledError, StateError
 */
export async function launch(context: CallContext): Promise<void> {
  const { handle } = context;
  requireConfig(handle.state, context.procedure);
  const stop = (handle.launching = new AbortController());
  const signal = context.signal ? AbortSignal.any([context.signal, stop.signal]) : stop.signal;
  try {
    const attachment = await attach({
      settings: handle.settings,
      drives: handle.drives.list(),
      timeoutMs: handle.limits.launchTimeout,
      reserve: handle.reserve,
      signal,
      progress: (position, total) => context.progress(position, total),
      debug: (message) => handle.debug(message),
      warn: (message) => handle.warn(message),
      applianceSaid: (text) => handle.applianceSaid(text),
    });
    const { connection } = attachment;
    if (signal.aborted || connection.failure) throw await abandon(attachment, signal);
    connection.explainLoss = (error, procedure) => explainLoss(attachment, error, procedure);
    connection.onLost = (error) => {
      void handle.forget(attachment, error.message).catch((failure: unknown) => handle.warn(String(failure)));
      handle.events.emit("subprocess_quit", { reason: error.message });
    };
    handle.drives.settle();
    handle.adopt(attachment);
  } finally {
    handle.launching = undefined;
  }
  handle.events.emit("launch_done", {});
}

/** Syncs with autosync on, unless nothing is to be kept, and ends the conversation and the appliance. Nothing happens unless READY. */
export async function shutdown(context: CallContext): Promise<void> {
  const { handle } = context;
  const { attachment } = handle;
  if (!attachment) return;
  try {
    // What it gets from now on would not be on the disks.
    await handle.localMount?.end();
    if (handle.settings.autosync && attachment.keepsNothing?.() !== true) await sync(context, attachment.connection);
  } finally {
    attachment.connection.end(new ConnectionClosedError("the handle was shut down"));
    await handle.forget(attachment);
  }
}

/** Has the daemon sync; cuts the line when the call is cancelled, or when that takes too long. */
async function sync(context: CallContext, connection: Connection): Promise<void> {
  const { syncTimeout } = context.handle.limits;
  const cut = (reason: string): void => connection.end(new ConnectionClosedError(reason));
  const timer = setTimeout(() => cut(`the daemon did not sync within ${syncTimeout / 1000} s`), syncTimeout);
  context.cancellation.listen(() => cut("syncing was cancelled"));
  try {
    await context.call("internal_autosync", {});
  } catch (error) {
    context.cancellation.check();
    throw error;
  } finally {
    clearTimeout(timer);
    context.cancellation.unlisten();
  }
}

/** Stops a transfer under way, the launch, syncing at the end, or serving a mounted folder. */
export function userCancel(handle: Handle): void {
  handle.launching?.abort(new Error("user_cancel was called"));
  const message = "operation cancelled by user";
  cancelTransfer(handle, message);
  handle.closing?.cancellation.cancel(new CancelledError(message, { procedure: "close" }));
  void handle.localMount?.stop(new CancelledError(message, { procedure: "mount_local_run" }));
}

function cancelTransfer({ current }: Handle, message: string): void {
  if (current?.cancellation.stoppable === true)
    current.cancellation.cancel(new CancelledError(message, { procedure: current.procedure }));
}

/**
 * Closes the handle. Each call gives the same promise.
 * @param signal - cuts it short
 */
export function close(handle: Handle, signal?: AbortSignal): Promise<void> {
  if (!handle.closed) {
    const context = new CallContext(handle, "close");
    handle.closing = context;
    handle.closed = closeOnce(context);
  }
  const { closing } = handle;
  if (signal && closing) {
    const onAbort = (): void => closing.cancellation.cancel(cancelled("close", signal));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    const unlisten = (): void => signal.removeEventListener("abort", onAbort);
    handle.closed.then(unlisten, unlisten);
  }
  return handle.closed;
}

async function closeOnce(context: CallContext): Promise<void> {
  const { handle } = context;
  // The state has to say CLOSED before anything else happens.
  await Promise.resolve();
  const idle = handle.turns.close(
    (procedure) => new StateError("the handle was closed before the call had its turn", "CLOSED", { procedure }),
  );
  try {
    if (idle) await endCurrentCall(context, idle);
    await shutdown(context);
  } finally {
    await handle.finish();
  }
}

/**
 * Lets a call under way end, cancels it where that goes, and cuts the line when it takes too long. What does not end
 * even then, since its caller's stream hangs, is left alone.
 */
async function endCurrentCall(context: CallContext, idle: Promise<void>): Promise<void> {
  const { handle, cancellation } = context;
  handle.launching?.abort(new Error("the handle was closed"));
  cancelTransfer(handle, "the handle was closed");
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    const cut = (): void => {
      resolve();
      const { attachment } = handle;
      if (!attachment) return;
      attachment.connection.end(new ConnectionClosedError("the handle was closed before the daemon answered"));
      void handle.forget(attachment).catch((error: unknown) => handle.warn(String(error)));
    };
    timer = setTimeout(cut, handle.limits.closeTimeout);
    cancellation.listen(cut);
  });
  try {
    await Promise.race([idle, late]);
  } finally {
    clearTimeout(timer);
    cancellation.unlisten();
  }
}
