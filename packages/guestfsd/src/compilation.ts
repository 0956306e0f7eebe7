import { setFlagsFromString } from "node:v8";

// A conversation that has come so far does bulk work, which pays for compiling.
const framesBefore = 128;

let framesLeft = Number.POSITIVE_INFINITY;

/**
 * Interprets only, until much has been sent. Compiled code differs from function to function, and where QEMU translates, all of it, and
 * the compiler, is new to each clone of a template; the interpreter is the same for all.
 */
export function interpretAtFirst(): void {
  framesLeft = Number.POSITIVE_INFINITY;
  setFlagsFromString("--no-sparkplug");
  setFlagsFromString("--no-opt");
}

/** The machine has become a clone: what is sent from now on counts. */
export function countFrames(): void {
  framesLeft = framesBefore;
}

/** Something was sent. */
export function frameSent(): void {
  if (--framesLeft !== 0) return;
  setFlagsFromString("--sparkplug");
  setFlagsFromString("--opt");
}
