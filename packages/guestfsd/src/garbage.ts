import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const words = Array.from({ length: 128 }, () => 0);
// Of 1 KiB each: more than both halves of where V8 keeps what is new (guest-scripts.ts of the appliance).
const rounds = 12 * 1024;

/** So that the kernel has given V8 all of that memory: to get it costs a clone 1,000 blocks for TCG to translate. */
function touchNewSpace(): void {
  let copy = words;
  for (let round = 0; round < rounds; round++) copy = [...copy];
}

/** What is short-lived goes now: a clone begins with room, and does not collect before it has answered its first calls. */
export function collectGarbage(): void {
  touchNewSpace();
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (how: { type: "minor" }) => void;
  setFlagsFromString("--no-expose-gc");
  // Twice: what outlives both is no longer short-lived.
  collect({ type: "minor" });
  collect({ type: "minor" });
}
