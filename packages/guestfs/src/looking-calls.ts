import { effectOf } from "@guestfs/schema";

/** Whether a call of the daemon, by its wire name, is known to change nothing in the machine. */
export function isLookingCall(name: string): boolean {
  return effectOf(name) === "none";
}
