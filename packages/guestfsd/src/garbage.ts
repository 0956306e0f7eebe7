import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What is short-lived goes now: a clone begins with room, and does not collect before it has answered its first calls. */
export function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (how: { type: "minor" }) => void;
  setFlagsFromString("--no-expose-gc");
  // Twice: what outlives both is no longer short-lived.
  collect({ type: "minor" });
  collect({ type: "minor" });
}
