import { setFlagsFromString } from "node:v8";

// A conversation that has come so far does bulk work, which pays for being compiled, if only as it stands.
const framesBeforeBaseline = 128;
// The optimizing compiler is new to a clone too: to translate it costs seconds, which some thousands of frames repay.
const framesBeforeOptimizing = 8192;

let framesSent = Number.NEGATIVE_INFINITY;

/**
 * Interprets only, until much has been sent. Compiled code differs from function to function, and where QEMU translates, all of it, and
 * the compiler, is new to each clone of a template; the interpreter is the same for all.
 */
export function interpretAtFirst(): void {
  framesSent = Number.NEGATIVE_INFINITY;
  setFlagsFromString("--no-sparkplug");
  setFlagsFromString("--no-opt");
}

/** The machine has become a clone: what is sent from now on counts. */
export function countFrames(): void {
  framesSent = 0;
}

/** Something was sent. */
export function frameSent(): void {
  framesSent++;
  if (framesSent === framesBeforeBaseline) setFlagsFromString("--sparkplug");
  else if (framesSent === framesBeforeOptimizing) setFlagsFromString("--opt");
}
