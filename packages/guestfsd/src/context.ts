import type { ProcedureMap, TopicMap } from "@guestfs/schema";
import type { DaemonState } from "./daemon-state.ts";
import type { FileInput } from "./file-input.ts";
import type { FileOutput } from "./file-output.ts";
import type { Sysroot } from "./sysroot.ts";

/** What every handler is given beside its arguments. */
export interface Context {
  readonly state: DaemonState;
  /** The guest's tree; paths in the arguments are paths in it. */
  readonly sysroot: Sysroot;
  /** Reports bytes, blocks or the like: sent now and then, see ProgressSender. */
  progress(position: number, total: number): void;
  /**
   * Says that a long call goes on, and ends it when its client has gone; cheap. Everything calls it now and then that a file, a
   * tree or a client can make last: `run`, `blocksOf`, `walkTree` and `expandGlob` take it.
   */
  readonly pulse: () => void;
  /** Ends the conversation after this call's reply. */
  endAfterReply(): void;
}

/** What the handler of a call with a file in it is given. */
export interface InputContext extends Context {
  readonly input: FileInput;
}

/** What the handler of a call that gives a file is given. The reply goes out with the first byte, or when the handler returns. */
export interface OutputContext extends Context {
  readonly output: FileOutput;
}

type ContextFor<File> = File extends "in" ? InputContext : File extends "out" ? OutputContext : Context;

/**
 * Does the work of one procedure. Device arguments come as names of this side; a thrown `DaemonError`
 * or failed system call becomes the error reply.
 */
export type Handler<Name extends keyof ProcedureMap> = (
  args: ProcedureMap[Name]["args"],
  context: ContextFor<ProcedureMap[Name]["file"]>,
) => ProcedureMap[Name]["returns"];

/** The handlers of a topic, by wire name: all of them. */
export type HandlersOf<Topic extends keyof TopicMap> = { readonly [Name in TopicMap[Topic]]: Handler<Name> };

/** A handler whose types the dispatcher no longer needs. */
export type AnyHandler = (args: Record<string, unknown>, context: Context) => unknown;
