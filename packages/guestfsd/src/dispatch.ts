import { codecOf, readHeader } from "@guestfs/protocol";
import type { Header, Reader } from "@guestfs/protocol";
import { camelCase, procedures } from "@guestfs/schema";
import type { Procedure } from "@guestfs/schema";
import { checkArguments, checkRootMounted, needsRoot, translateResult } from "./argument-check.ts";
import type { AnyHandler, Context } from "./context.ts";
import { DaemonError } from "./daemon-error.ts";
import type { DaemonState } from "./daemon-state.ts";
import type { DeviceNames } from "./device.ts";
import { groupIsAvailable } from "./groups.ts";
import { handlers } from "./handlers/index.ts";
import { errorText } from "./native/system-error.ts";
import { startVolumes } from "./volume-start.ts";

const rowByNumber: ReadonlyMap<number, Procedure> = new Map(
  procedures.flatMap((row) => (row.proc === undefined ? [] : [[row.proc, row] as const])),
);

/** A call, taken off the wire and checked. */
export interface Call {
  readonly row: Procedure;
  readonly handler: AnyHandler;
  readonly args: Record<string, unknown>;
}

/** The row of a procedure number. */
export function rowOf(procedure: number): Procedure | undefined {
  return rowByNumber.get(procedure);
}

/** @throws ProtocolError when the message has no header of this protocol */
export function readCallHeader(reader: Reader): Header {
  return readHeader(reader);
}

/**
 * Decodes and checks a call in the order that PROTOCOL.md gives.
 * @param onArguments - told what was asked for, before it is checked
 * @throws DaemonError saying what is wrong with it
 */
export function readCall(
  header: Header,
  reader: Reader,
  state: DaemonState,
  devices: DeviceNames,
  onArguments?: (args: Record<string, unknown>) => void,
): Call {
  const row = rowOf(header.procedure);
  const handler = row && handlers.get(row.name);
  if (row?.group && !groupIsAvailable(row.group))
    throw new DaemonError(`feature '${row.group}' is not available in this build of guestfsd`, "ENOTSUP");
  if (!row || !handler)
    throw new DaemonError(
      `unknown procedure number ${header.procedure}${row ? ` (${row.name})` : ""}: this daemon does not have it`,
      row ? "ENOTSUP" : "",
    );
  const codec = codecOf(row);
  if ((header.optionalMask & ~codec.knownMask) !== 0n)
    throw new DaemonError("unknown option in optional arguments bitmask", "EINVAL");
  let args: Record<string, unknown>;
  try {
    args = codec.readArguments(reader, header.optionalMask);
  } catch (error) {
    throw new DaemonError(`the arguments can't be decoded: ${(error as Error).message}`, "EINVAL", { cause: error });
  }
  onArguments?.(args);
  startVolumes(row, state);
  checkArguments(row, args, devices);
  state.guard?.checkCall(row, args, state.sysroot);
  if (needsRoot(row)) checkRootMounted(state);
  return { row, handler, args };
}

/** Runs a call. */
export function runCall(call: Call, context: Context, devices: DeviceNames): unknown {
  return translateResult(call.row.returns, call.handler(call.args, context), devices);
}

/** The words and the errno of an error reply. */
export function describeError(error: unknown, call: Call | undefined): DaemonError {
  if (error instanceof DaemonError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (typeof code !== "string" || !/^E[A-Z0-9]+$/.test(code))
    return new DaemonError(message ?? String(error), "", { cause: error });
  const subject = call && subjectOf(call);
  return new DaemonError(subject === undefined ? errorText(code) : `${subject}: ${errorText(code)}`, code, {
    cause: error,
  });
}

/** The first path or device among the arguments: what a failed system call was about. */
function subjectOf(call: Call): string | undefined {
  const parameter = call.row.params.find(
    ({ type, of }) =>
      type === "string" && of !== undefined && of !== "plain" && of !== "key" && of !== "file-in" && of !== "file-out",
  );
  return parameter && (call.args[camelCase(parameter.name)] as string);
}
