/**
 * Look inside virtual machine disks, and at running machines, with one API: libguestfs's.
 * @packageDocumentation
 */
export { Guestfs } from "./guestfs.ts";
export type { GuestfsOptions } from "./guestfs.ts";
export { GuestfsPool } from "./pool.ts";
export type { GuestfsPoolOptions } from "./pool.ts";
export type { CallOptions, FileSink, FileSource, ProgressReport } from "./call-options.ts";
export {
  CancelledError,
  ConnectionClosedError,
  GuestfsError,
  LaunchError,
  ProtocolError,
  RemoteError,
  StateError,
  UnsupportedError,
} from "./errors.ts";
export type {
  AnyGuestfsError,
  LocalError,
  GuestfsErrorCode,
  GuestfsErrorDetails,
  LaunchErrorDetails,
  ProcessEnd,
} from "./errors.ts";
export { eventToString } from "./events.ts";
export type { EventCallback, EventListener, EventMap, EventName, NothingMore } from "./events.ts";
export type { WalkEntry, WalkStat } from "./walk/entry.ts";
export type { WalkOptions } from "./walk/method.ts";
export type * from "./gen/api.ts";
