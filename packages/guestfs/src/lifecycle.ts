import { attach } from "./attach/attach.ts";
import type { Attachment } from "./attach/attachment.ts";
import { CallContext } from "./call-context.ts";
import { CancelledError, ConnectionClosedError, ProtocolError, StateError } from "./errors.ts";
import type { Handle } from "./handle.ts";
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

/**
 * Reaches a daemon: state READY.
 * @throws LaunchError, CancelledError, StateError
 */
export async function launch(context: CallContext): Promise<void> {
  const { handle } = context;
  requireConfig(handle.state, context.procedure);
  const stop = (handle.launching = new AbortController());
  try {
    const attachment = await attach({
      settings: handle.settings,
      drives: handle.drives.list(),
      timeoutMs: handle.limits.launchTimeout,
      reserve: handle.reserve,
      signal: context.signal ? AbortSignal.any([context.signal, stop.signal]) : stop.signal,
      progress: (position, total) => context.progress(position, total),
      debug: (message) => handle.debug(message),
      warn: (message) => handle.warn(message),
      applianceSaid: (text) => handle.applianceSaid(text),
    });
    const { connection } = attachment;
    connection.explainLoss = (error, procedure) => explainLoss(attachment, error, procedure);
    connection.onLost = (error) => {
      void handle.forget(attachment, error.message).catch((failure: unknown) => handle.warn(String(failure)));
      handle.events.emit("subprocess_quit", { reason: error.message });
    };
    handle.drives.settle();
    handle.adopt(attachment);
    if (connection.failure) connection.onLost(connection.failure);
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
    if (handle.settings.autosync && attachment.keepsNothing?.() !== true) await context.call("internal_autosync", {});
  } finally {
    attachment.connection.end(new ConnectionClosedError("the handle was shut down"));
    await handle.forget(attachment);
  }
}

/** Stops a transfer under way, the launch, or serving a mounted folder. */
export function userCancel(handle: Handle): void {
  handle.launching?.abort(new Error("user_cancel was called"));
  const message = "operation cancelled by user";
  cancelTransfer(handle, message);
  void handle.localMount?.stop(new CancelledError(message, { procedure: "mount_local_run" }));
}

function cancelTransfer({ current }: Handle, message: string): void {
  if (current?.cancellation.stoppable === true)
    current.cancellation.cancel(new CancelledError(message, { procedure: current.procedure }));
}

/** Closes the handle. Each call gives the same promise. */
export function close(handle: Handle): Promise<void> {
  handle.closed ??= closeOnce(handle);
  return handle.closed;
}

async function closeOnce(handle: Handle): Promise<void> {
  // The state has to say CLOSED before anything else happens.
  await Promise.resolve();
  handle.turns.refuse(
    (procedure) => new StateError("the handle was closed while the call waited for its turn", "CLOSED", { procedure }),
  );
  if (handle.turns.busy) await endCurrentCall(handle);
  try {
    await shutdown(new CallContext(handle, "close"));
  } finally {
    await handle.finish();
  }
}

/** Lets a call under way end, cancels it where that goes, and cuts the line when it takes too long. */
async function endCurrentCall(handle: Handle): Promise<void> {
  handle.launching?.abort(new Error("the handle was closed"));
  cancelTransfer(handle, "the handle was closed");
  const timer = setTimeout(() => {
    const { attachment } = handle;
    if (!attachment) return;
    attachment.connection.end(new ConnectionClosedError("the handle was closed before the daemon answered"));
    void handle.forget(attachment).catch((error: unknown) => handle.warn(String(error)));
  }, handle.limits.closeTimeout);
  try {
    await handle.turns.enter("close");
  } finally {
    clearTimeout(timer);
  }
}
