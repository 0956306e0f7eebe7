import { setFlagsFromString } from "node:v8";

// Compilers are new to a clone too: to translate them costs seconds, which some thousands of frames repay.
const framesBeforeCompiling = 8192;

// Bytes of bytecode that a function runs before V8 looks whether it should be optimized: Node 20's, and one with which a few calls do.
const usualBudget = 67_584;
const eagerBudget = 500;
// What a function may run is set when it has run what it might before: until then, the usual budget holds.
const roundsLeast = 10;
const roundsMost = 40;
const lookPeriod = 20;
const looksMost = 100;

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

/**
 * Has V8 keep what a function meets from the next call on, and not from its tenth or so: clones would begin to, with code of V8's that
 * is new to each of them. 25,600 instead of 27,300 blocks that TCG translates for launch, mount and cat.
 */
export function learnAtOnce(): void {
  setFlagsFromString("--no-lazy-feedback-allocation");
}

const never = new Int32Array(new SharedArrayBuffer(4));

/** Waits until no thread of this process works, or there is something else to do. Returns whether one did. */
function letOthersWork(isEnough: () => boolean): boolean {
  for (let looks = 0; ; looks++) {
    const before = process.cpuUsage();
    Atomics.wait(never, 0, 0, lookPeriod);
    const { user, system } = process.cpuUsage(before);
    if (user + system < (lookPeriod * 1000) / 4 || looks === looksMost || isEnough()) return looks > 0;
  }
}

/** What of its bytecode V8 lets a function run in this process before it looks, if nobody sets it anew. */
function budgetOfProcess(): number {
  return Number(/--interrupt-budget=(\d+)/.exec(process.execArgv.join(" "))?.[1] ?? usualBudget);
}

/**
 * Repeats something until V8 finds no more to compile and optimize in it.
 * @param isEnough - asked again and again; ends it early
 */
export function compileEagerly(work: () => void, isEnough: () => boolean = () => false): void {
  // What counts frames is compiled too, and has to have seen them counted.
  countFrames();
  setFlagsFromString("--opt");
  setFlagsFromString("--sparkplug");
  setFlagsFromString(`--interrupt-budget=${eagerBudget}`);
  let idle = 0;
  for (let round = 0; !isEnough() && (round < roundsLeast || (idle < 2 && round < roundsMost)); round++) {
    work();
    // The compiler has a thread of its own, and the machine may have one processor.
    idle = letOthersWork(isEnough) ? 0 : idle + 1;
  }
  setFlagsFromString(`--interrupt-budget=${budgetOfProcess()}`);
}

/** The machine has become a clone: what is sent from now on counts. */
export function countFrames(): void {
  framesSent = 0;
}

/** Something was sent. */
export function frameSent(): void {
  framesSent++;
  if (framesSent !== framesBeforeCompiling) return;
  setFlagsFromString("--sparkplug");
  setFlagsFromString("--opt");
}
