export { ProtocolError } from "@guestfs/protocol";

/** What kind of failure a {@link GuestfsError} is. New kinds may be added in a minor version. */
export type GuestfsErrorCode =
  /** the daemon answered with an error */
  | "REMOTE"
  /** no daemon could be reached or started */
  | "LAUNCH"
  /** the daemon went away */
  | "CONNECTION_CLOSED"
  /** stopped by the caller */
  | "CANCELLED"
  /** the call does not belong to the handle's state */
  | "STATE"
  /** neither this library nor the daemon can do it */
  | "UNSUPPORTED"
  /** something on this machine failed: a file to send, a place to write to, a program to run */
  | "LOCAL";

/** What a {@link GuestfsError} is made from. */
export interface GuestfsErrorDetails {
  /** Wire name of the call, such as `mkfs`; it goes in front of the message. */
  procedure?: string | undefined;
  cause?: unknown;
  /** Name of the system's error; default: that of the cause. */
  errno?: string | undefined;
}

/** The name of the system's error that an error of Node or of this library has, else empty. */
function errnoOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if (error instanceof GuestfsError) return error.errno;
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === "string" && /^E[A-Z0-9]+$/.test(code)) return code;
  return errnoOf(error.cause);
}

function nameClass(type: { readonly prototype: Error }, name: string): void {
  // On the prototype, so that the stack's first line has it and it is no property of every error.
  Object.defineProperty(type.prototype, "name", { value: name, configurable: true, writable: true });
}

/**
 * A call failed. `message` starts with the call's wire name: `mkfs: /dev/sda1: No such file or directory`.
 * The stack starts at the line that made the call.
 */
export class GuestfsError extends Error {
  /** What kind of failure it is. */
  readonly code: GuestfsErrorCode;
  /** Wire name of the call that failed, such as `part_add`; empty when there was none. */
  readonly procedure: string;
  /**
   * Name of the system's error behind it, such as `ENOENT`: the daemon's in a {@link RemoteError}, this machine's in the others.
   * Empty when there is none.
   */
  readonly errno: string;

  constructor(code: GuestfsErrorCode, message: string, details: GuestfsErrorDetails = {}) {
    const { procedure = "", cause, errno = errnoOf(cause) } = details;
    super(procedure === "" ? message : `${procedure}: ${message}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.procedure = procedure;
    this.errno = errno;
  }

  static {
    nameClass(this, "GuestfsError");
  }
}

/** The daemon answered with an error. A name of it outside errno(3) is given as `EINVAL`. */
export class RemoteError extends GuestfsError {
  declare readonly code: "REMOTE";

  constructor(message: string, errno: string, details: GuestfsErrorDetails = {}) {
    super("REMOTE", message, { ...details, errno });
  }

  static {
    nameClass(this, "RemoteError");
  }
}

/** What is known of a program that ended, and of what it wrote last. */
export interface ProcessEnd {
  /** Exit status, `null` when it did not exit by itself or has not ended. */
  exitCode: number | null;
  /** Name of the signal that ended it, `null` when none did. */
  signal: string | null;
  /** The last of what the console and the program's standard error said; empty when there is none. */
  consoleTail: string;
}

/** What a {@link LaunchError} is made from. */
export interface LaunchErrorDetails extends GuestfsErrorDetails, Partial<ProcessEnd> {
  /** What was seen, several lines at most. */
  evidence?: string | undefined;
  /** What to do about it. */
  fix?: string | undefined;
}

/** No daemon could be reached or started. `message` is one screen: the cause, what was seen, what to do. */
export class LaunchError extends GuestfsError implements ProcessEnd {
  declare readonly code: "LAUNCH";
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly consoleTail: string;
  /** What to do about it: a sentence or a command to type; empty when nothing is known. */
  readonly fix: string;

  constructor(message: string, details: LaunchErrorDetails = {}) {
    const { evidence = "", fix = "", exitCode = null, signal = null, consoleTail = "", cause } = details;
    const parts = [message, evidence, fix === "" ? "" : `To fix it: ${fix}`].filter((part) => part !== "");
    super("LAUNCH", parts.join("\n"), { procedure: details.procedure ?? "launch", cause });
    this.exitCode = exitCode;
    this.signal = signal;
    this.consoleTail = consoleTail;
    this.fix = fix;
  }

  static {
    nameClass(this, "LaunchError");
  }
}

/** The daemon, or the appliance it ran in, went away during the call. The handle is back in state CONFIG. */
export class ConnectionClosedError extends GuestfsError implements ProcessEnd {
  declare readonly code: "CONNECTION_CLOSED";
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly consoleTail: string;

  constructor(message: string, details: GuestfsErrorDetails & Partial<ProcessEnd> = {}) {
    super("CONNECTION_CLOSED", message, details);
    this.exitCode = details.exitCode ?? null;
    this.signal = details.signal ?? null;
    this.consoleTail = details.consoleTail ?? "";
  }

  static {
    nameClass(this, "ConnectionClosedError");
  }
}

/**
 * The call was stopped by its `signal` (then `cause` is the signal's reason), by `userCancel`, or by closing the
 * handle. `name` is `AbortError`, as everywhere in Node, and `errno` `EINTR`, as libguestfs has it for `user_cancel`.
 */
export class CancelledError extends GuestfsError {
  declare readonly code: "CANCELLED";

  constructor(message: string, details: GuestfsErrorDetails = {}) {
    super("CANCELLED", message, { ...details, errno: "EINTR" });
  }

  static {
    nameClass(this, "AbortError");
  }
}

/** The call does not belong to the handle's state; `message` names both. */
export class StateError extends GuestfsError {
  declare readonly code: "STATE";
  /** State the handle was in. */
  readonly state: string;

  constructor(message: string, state: string, details: GuestfsErrorDetails = {}) {
    super("STATE", message, details);
    this.state = state;
  }

  static {
    nameClass(this, "StateError");
  }
}

/** What was asked for is not there: a feature group the daemon lacks, or something this library does not do. */
export class UnsupportedError extends GuestfsError {
  declare readonly code: "UNSUPPORTED";
  /** The feature group, such as `btrfs`; empty when it is no feature of the daemon. */
  readonly group: string;

  constructor(message: string, group: string, details: GuestfsErrorDetails = {}) {
    super("UNSUPPORTED", message, details);
    this.group = group;
  }

  static {
    nameClass(this, "UnsupportedError");
  }
}

/** Something on this machine failed. */
export type LocalError = GuestfsError & { readonly code: "LOCAL" };

/** Every {@link GuestfsError}, for a `switch` over `code` that narrows to the class. */
export type AnyGuestfsError =
  | RemoteError
  | LaunchError
  | ConnectionClosedError
  | CancelledError
  | StateError
  | UnsupportedError
  | LocalError;

/** Where a call was made: frames of the stack from the caller on. */
export interface CallSite {
  stack?: string;
}

/** Remembers where `method` was called. The text of the stack is only made when an error needs it. */
export function callSite(method: (...args: never[]) => unknown): CallSite {
  const site: CallSite = {};
  Error.captureStackTrace(site, method);
  return site;
}

/** Gives an error the stack of the line that made the call. */
export function moveTo(site: CallSite, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const frames = site.stack?.indexOf("\n    at ") ?? -1;
  if (frames < 0) return error;
  Object.defineProperty(error, "stack", {
    value: `${error.name}: ${error.message}${site.stack?.slice(frames)}`,
    configurable: true,
    writable: true,
  });
  return error;
}
