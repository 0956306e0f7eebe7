import { setMaxListeners } from "node:events";
import type { CallContext } from "./call-context.ts";
import { CancelledError } from "./errors.ts";

/** The error of a method that its caller has stopped. */
export function cancelled(procedure: string, signal: AbortSignal): CancelledError {
  return new CancelledError("cancelled", { procedure, cause: signal.reason });
}

/** Gives back the result, or fails at once when the signal is aborted: what is under way then ends by itself. */
function unlessAborted<T>(context: CallContext, signal: AbortSignal, result: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      const error = cancelled(context.procedure, signal);
      context.cancellation.cancel(error);
      reject(error);
    };
    if (signal.aborted) {
      onAbort();
      result.catch(() => undefined);
      return;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

async function whenFree<T>(context: CallContext, work: () => Promise<T>): Promise<T> {
  const { handle } = context;
  const turn = handle.turns.enter(context.procedure, context.signal);
  if (turn) await turn;
  handle.current = context;
  try {
    return await work();
  } finally {
    handle.current = undefined;
    handle.turns.leave();
  }
}

/**
 * Does something with a handle when no other call is under way.
 * @throws CancelledError when the context's signal is aborted, also while it waits
 */
export function inTurn<T>(context: CallContext, work: () => Promise<T>): Promise<T> {
  const { signal } = context;
  if (!signal) return whenFree(context, work);
  if (signal.aborted) return Promise.reject(cancelled(context.procedure, signal));
  // One signal may stop any number of calls that wait.
  setMaxListeners(0, signal);
  return unlessAborted(context, signal, whenFree(context, work));
}
