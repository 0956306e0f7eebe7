import { camelCase, isMethod, isSynchronous, procedures } from "@guestfs/schema";
import type { Procedure, ProcedureMap } from "@guestfs/schema";
import { CallContext } from "./call-context.ts";
import type { FileSink, FileSource } from "./call-options.ts";
import { callSite, GuestfsError, moveTo } from "./errors.ts";
import type { Handle } from "./handle.ts";
import { inTurn } from "./in-turn.ts";
import { library } from "./library/index.ts";
import { MethodPlan } from "./method-plan.ts";
import type { ParsedCall } from "./method-plan.ts";
import { requireConfig, requireOpen } from "./state.ts";
import { traceOfCall, traceOfError, traceOfResult } from "./trace.ts";
import type { ByteSource } from "./transfer/byte-source.ts";
import { makeSink } from "./transfer/file-sink.ts";
import { holdStream } from "./transfer/hold-stream.ts";
import { openSource } from "./transfer/file-source.ts";

type AnyFunction = (...args: never[]) => unknown;
type Work = (context: CallContext, call: ParsedCall, values: readonly unknown[]) => unknown;

/** Finds the handle behind the object that a method was called on. */
export type HandleOf = (object: unknown) => Handle;

async function sourceOf(context: CallContext, file: unknown): Promise<ByteSource> {
  try {
    return await openSource(file as FileSource);
  } catch (error) {
    throw new GuestfsError("LOCAL", (error as Error).message, { procedure: context.procedure, cause: error });
  }
}

/** The work of a method that is one call of the daemon. */
function daemonWork(row: Procedure, plan: MethodPlan): Work {
  const name = row.name as keyof ProcedureMap;
  switch (plan.file) {
    case undefined:
      return (context, { args }) => context.call(name, args);
    case "in":
      return async (context, { args, file }) => {
        // A wrong state is told before the file is opened.
        context.handle.readyConnection(context.procedure);
        return context.call(name, args, { source: await sourceOf(context, file) });
      };
    case "out":
      return (context, { args, file }) => context.call(name, args, { sink: makeSink(file as FileSink) });
  }
}

/** The work of a method that the library does. */
function libraryWork(row: Procedure): Work {
  const work = library[camelCase(row.name) as keyof typeof library] as (
    context: CallContext,
    ...args: unknown[]
  ) => unknown;
  return (context, _call, values) => work(context, ...values);
}

/** Our appliance takes drives while it runs; the calls themselves see whether there is one. */
const addsDrives = /^add_(?:drive|cdrom)/;

function checkState(row: Procedure, handle: Handle): void {
  if (row.name === "user_cancel" && handle.closing !== undefined) return;
  requireOpen(handle.state, row.name);
  if (row.configOnly === true && !addsDrives.test(row.name)) requireConfig(handle.state, row.name);
  else if (row.proc !== undefined) handle.readyConnection(row.name);
}

/** They last while a folder is in use, whose files are served by calls that take turns. */
const withoutTurn = new Set(["mount_local_run", "umount_local"]);

function asynchronousMethod(row: Procedure, handleOf: HandleOf): AnyFunction {
  const plan = new MethodPlan(row);
  const work = row.proc === undefined ? libraryWork(row) : daemonWork(row, plan);

  async function traced(context: CallContext, call: ParsedCall, values: readonly unknown[]): Promise<unknown> {
    const { handle } = context;
    const { trace } = handle.settings;
    if (trace) handle.trace(traceOfCall(row, call.args, call.file));
    if (handle.events.wanted("enter")) handle.events.emit("enter", { procedure: row.name });
    try {
      checkState(row, handle);
      context.cancellation.check();
      const result = await work(context, call, values);
      if (trace) handle.trace(traceOfResult(row, result));
      return result;
    } catch (error) {
      if (trace) handle.trace(traceOfError(row));
      throw error;
    }
  }

  async function method(this: unknown, ...values: unknown[]): Promise<unknown> {
    const site = callSite(method);
    let release: (() => void) | undefined;
    let sink: unknown;
    try {
      const handle = handleOf(this);
      const call = plan.parse(values);
      if (plan.file === "out" && typeof call.file !== "string") sink = call.file;
      if (plan.file !== undefined) release = holdStream(call.file, plan.file === "in");
      const { signal, onProgress } = call.options;
      requireOpen(handle.state, row.name);
      const context = new CallContext(handle, row.name, signal, onProgress);
      const all = (): Promise<unknown> => traced(context, call, values);
      return await (withoutTurn.has(row.name) ? all() : inTurn(context, all));
    } catch (error) {
      // Also when the daemon was never asked: whoever reads from the other end of a stream learns that nothing comes.
      if (sink !== undefined) await makeSink(sink as FileSink).abort(error as Error);
      throw moveTo(site, error);
    } finally {
      release?.();
    }
  }
  return method;
}

function immediateMethod(row: Procedure, handleOf: HandleOf): AnyFunction {
  const plan = new MethodPlan(row);
  const work = libraryWork(row);
  return function method(this: unknown, ...values: unknown[]): unknown {
    const site = callSite(method);
    try {
      const handle = handleOf(this);
      const call = plan.parse(values);
      checkState(row, handle);
      const { trace } = handle.settings;
      if (trace) handle.trace(traceOfCall(row, call.args, undefined));
      if (handle.events.wanted("enter")) handle.events.emit("enter", { procedure: row.name });
      const result = work(new CallContext(handle, row.name), call, values);
      if (trace) handle.trace(traceOfResult(row, result));
      return result;
    } catch (error) {
      throw moveTo(site, error);
    }
  };
}

/** A method that reads its row only when it is called for the first time: most programs use few of them. */
function lazily(row: Procedure, handleOf: HandleOf): AnyFunction {
  return isSynchronous(row) ? immediateMethod(row, handleOf) : asynchronousMethod(row, handleOf);
}

/** Puts a method for each call of the schema, and for its other names, on the prototype. */
export function installMethods(prototype: object, handleOf: HandleOf): void {
  for (const row of procedures) {
    if (!isMethod(row)) continue;
    const names = [row.name, ...(row.aliases ?? [])].map(camelCase);
    for (const name of names) {
      Object.defineProperty(prototype, name, {
        configurable: true,
        enumerable: false,
        get(): AnyFunction {
          const method = lazily(row, handleOf);
          Object.defineProperty(method, "name", { value: name });
          Object.defineProperty(prototype, name, {
            value: method,
            configurable: true,
            enumerable: false,
            writable: true,
          });
          return method;
        },
      });
    }
  }
}
