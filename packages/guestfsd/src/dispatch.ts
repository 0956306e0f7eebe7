import { codecOf } from "@guestfs/protocol";
import type { Header, ProcedureCodec, Reader } from "@guestfs/protocol";
import { camelCase, procedures } from "@guestfs/schema";
import type { Procedure, StringKind } from "@guestfs/schema";
import { checkArguments, checkRootMounted, needsRoot, translateResult } from "./argument-check.ts";
import type { AnyHandler, Context } from "./context.ts";
import { DaemonError } from "./daemon-error.ts";
import type { DaemonState } from "./daemon-state.ts";
import type { DeviceNames } from "./device.ts";
import { groupIsAvailable } from "./groups.ts";
import { handlers } from "./handlers/index.ts";
import { errorText } from "./native/system-error.ts";
import { needsVolumes, startVolumes, volumeUse } from "./volume-start.ts";
import type { VolumeUse } from "./volume-start.ts";

const rowByNumber: ReadonlyMap<number, Procedure> = new Map(
  procedures.flatMap((row) => (row.proc === undefined ? [] : [[row.proc, row] as const])),
);

/** What every call of a procedure needs to know of it, looked up once. */
export interface Plan {
  readonly row: Procedure;
  readonly codec: ProcedureCodec;
  /** Absent where the procedure is none of this daemon's. */
  readonly handler: AnyHandler | undefined;
  /** A file comes with the call. */
  readonly takesFile: boolean;
  /** A file comes with the reply. */
  readonly givesFile: boolean;
  readonly needsRoot: boolean;
  readonly volumeUse: VolumeUse;
}

const plans = new Map<number, Plan>();

/** The plan of a procedure number; `undefined` when there is no such procedure. */
export function planOf(procedure: number): Plan | undefined {
  let plan = plans.get(procedure);
  const row = plan ? undefined : rowByNumber.get(procedure);
  if (row) {
    const has = (kind: StringKind): boolean => row.params.some(({ of }) => of === kind);
    plan = {
      row,
      codec: codecOf(row),
      handler: handlers.get(row.name),
      takesFile: has("file-in"),
      givesFile: has("file-out"),
      needsRoot: needsRoot(row),
      volumeUse: volumeUse(row),
    };
    plans.set(procedure, plan);
  }
  return plan;
}

/** A call, taken off the wire and checked. */
export interface Call {
  readonly row: Procedure;
  readonly handler: AnyHandler;
  readonly args: Record<string, unknown>;
}

/**
 * Decodes and checks a call in the order that PROTOCOL.md gives.
 * @param onArguments - told what was asked for, before it is checked
 * @throws DaemonError saying what is wrong with it
 */
export function readCall(
  plan: Plan | undefined,
  header: Header,
  reader: Reader,
  state: DaemonState,
  devices: DeviceNames,
  onArguments?: (args: Record<string, unknown>) => void,
): Call {
  if (!plan) throw new DaemonError(`unknown procedure number ${header.procedure}: this daemon does not have it`);
  const { row, handler, codec } = plan;
  if (row.group && !groupIsAvailable(row.group))
    throw new DaemonError(`feature '${row.group}' is not available in this build of guestfsd`, "ENOTSUP");
  if (!handler)
    throw new DaemonError(
      `unknown procedure number ${header.procedure} (${row.name}): this daemon does not have it`,
      "ENOTSUP",
    );
  if (header.optionalMask !== 0n && (header.optionalMask & ~codec.knownMask) !== 0n)
    throw new DaemonError("unknown option in optional arguments bitmask", "EINVAL");
  let args: Record<string, unknown>;
  try {
    args = codec.readArguments(reader, header.optionalMask);
  } catch (error) {
    throw new DaemonError(`the arguments can't be decoded: ${(error as Error).message}`, "EINVAL", { cause: error });
  }
  onArguments?.(args);
  if (needsVolumes(plan.volumeUse, args)) startVolumes(state);
  checkArguments(row, args, devices);
  state.guard?.checkCall(row, args, state.sysroot);
  if (plan.needsRoot) checkRootMounted(state);
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
