import { effectOf, procedureByName } from "@guestfs/schema";
import { Cancellation } from "../cancellation.ts";
import type { Connection } from "../connection.ts";
import { LaunchError, RemoteError } from "../errors.ts";

/** Answer of `internal_feature_available`. */
const available = 0;

async function call(connection: Connection, name: string, args: Record<string, unknown>): Promise<unknown> {
  const row = procedureByName.get(name);
  if (!row) throw new TypeError(`no procedure ${name} in the schema`);
  return connection.call({ row, procedure: "launch", args, cancellation: new Cancellation() });
}

/**
 * Makes a conversation one that can't change anything. A daemon of ours is asked to refuse changes itself; to any other
 * one, only calls that are known to change nothing are sent.
 * @param signal - ends the conversation, and with it the waiting for the daemon's answers
 * @returns what the attachment needs for that
 * @throws LaunchError when the daemon can but will not; ConnectionClosedError when the signal was aborted
 */
export async function limitToReading(
  connection: Connection,
  signal: AbortSignal,
): Promise<{ refuses?: (name: string) => boolean }> {
  const onAbort = (): void => connection.end(signal.reason as Error);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const answer = await call(connection, "internal_feature_available", { group: "guestfs-extensions" });
    if (answer === available) {
      await call(connection, "extension_restrict", { readonly: true });
      return {};
    }
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    // A daemon of ours from before the call says that it does not know it.
    if (!/unknown procedure/.test(error.message) && error.errno !== "ENOTSUP" && error.errno !== "EINVAL")
      throw new LaunchError(`the daemon does not limit itself to reading: ${error.message}`, { cause: error });
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
  return { refuses: (name) => effectOf(name) !== "none" };
}
