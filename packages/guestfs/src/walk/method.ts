import type { Procedure } from "@guestfs/schema";
import type { CallOptions } from "../call-options.ts";
import { moveTo } from "../errors.ts";
import type { CallSite } from "../errors.ts";
import type { Handle } from "../handle.ts";
import { MethodPlan } from "../method-plan.ts";
import { requireOpen } from "../state.ts";
import { traceOfCall } from "../trace.ts";
import type { WalkEntry } from "./entry.ts";
import { allLevels, Walk, walkProcedure } from "./walk.ts";

/** How far a walk goes. */
export interface WalkOptions extends Pick<CallOptions, "signal"> {
  /** How many levels down, 1 or more; 1 for what is directly in the folder. Default: all. */
  maxdepth?: number | undefined;
}

/** Not of the schema: no call of libguestfs gives one thing after another. */
const row: Procedure = {
  name: walkProcedure,
  since: "1.60.1",
  summary: "The names and the stat of everything below a folder, one after another.",
  params: [{ name: "directory", type: "string", of: "pathname", summary: "where to begin" }],
  optional: [{ name: "maxdepth", type: "int", summary: "how many levels down" }],
  returns: { type: "none" },
};

let plan: MethodPlan | undefined;

/**
 * The method of this name.
 * @throws TypeError or RangeError when an argument makes no sense; StateError when the handle was closed
 */
export function walk(
  handle: Handle,
  site: CallSite,
  values: readonly unknown[],
): AsyncGenerator<WalkEntry, void, void> {
  plan ??= new MethodPlan(row);
  const { args, options } = plan.parse(values);
  const { directory, maxdepth = allLevels } = args as { directory: string; maxdepth?: number };
  if (args["maxdepth"] !== undefined && maxdepth < 1)
    throw new RangeError(`walk: maxdepth: ${maxdepth} is not 1 or more`);
  requireOpen(handle.state, row.name);
  const folder = directory.replace(/(?<=.)\/+$/, "");
  return (async function* () {
    if (handle.settings.trace) handle.trace(traceOfCall(row, args, undefined));
    if (handle.events.wanted("enter")) handle.events.emit("enter", { procedure: row.name });
    try {
      yield* new Walk(handle, options.signal).below(folder, maxdepth);
    } catch (error) {
      throw moveTo(site, error);
    }
  })();
}
