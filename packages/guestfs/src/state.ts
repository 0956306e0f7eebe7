import { StateError } from "./errors.ts";

/**
 * What a handle is doing: `CONFIG` (drives and settings may be changed), `LAUNCHING`, `READY` (calls reach the daemon), `CLOSED`.
 */
export type HandleState = "CONFIG" | "LAUNCHING" | "READY" | "CLOSED";

/** libguestfs's numbers for `get_state`. */
export const stateNumbers: Readonly<Record<HandleState, number>> = {
  CONFIG: 0,
  LAUNCHING: 1,
  READY: 2,
  CLOSED: 0xebadebad,
};

const notReady: Readonly<Record<Exclude<HandleState, "READY">, string>> = {
  CONFIG: "call launch first (in guestfish: run)",
  LAUNCHING: "wait for launch to end first",
  CLOSED: "the handle was closed",
};

const notConfig: Readonly<Record<Exclude<HandleState, "CONFIG">, string>> = {
  LAUNCHING: "it has to come before launch",
  READY: "it has to come before launch, or after shutdown",
  CLOSED: "the handle was closed",
};

/**
 * @param lost - why an earlier daemon is gone, empty when none is
 * @throws StateError unless the handle is READY
 */
export function requireReady(state: HandleState, procedure: string, lost: string): void {
  if (state === "READY") return;
  const history = lost === "" || state !== "CONFIG" ? "" : ` (the daemon is gone: ${lost})`;
  throw new StateError(`needs state READY, and the handle is in state ${state}${history}: ${notReady[state]}`, state, {
    procedure,
  });
}

/** @throws StateError unless drives and settings may be changed */
export function requireConfig(state: HandleState, procedure: string): void {
  if (state === "CONFIG") return;
  throw new StateError(`needs state CONFIG, and the handle is in state ${state}: ${notConfig[state]}`, state, {
    procedure,
  });
}

/** @throws StateError when the handle was closed */
export function requireOpen(state: HandleState, procedure: string): void {
  if (state === "CLOSED") throw new StateError("the handle is in state CLOSED: make a new one", state, { procedure });
}
