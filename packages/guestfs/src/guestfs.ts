import type { CallOptions } from "./call-options.ts";
import { warnOfIdleSettings } from "./backend-setting.ts";
import { requireKnown } from "./known-options.ts";
import { callSite } from "./errors.ts";
import { eventToString } from "./events.ts";
import type { EventCallback, EventListener, EventName } from "./events.ts";
import type { GuestfsApi } from "./gen/api.ts";
import { Handle } from "./handle.ts";
import { close } from "./lifecycle.ts";
import { installMethods } from "./methods.ts";
import type { GuestfsPool } from "./pool.ts";
import { Settings } from "./settings.ts";
import { requireOpen } from "./state.ts";
import type { WalkEntry } from "./walk/entry.ts";
import { walk } from "./walk/method.ts";
import type { WalkOptions } from "./walk/method.ts";

/** How a handle is made. */
export interface GuestfsOptions {
  /** Whether the variables `LIBGUESTFS_*` of the process's environment are read. Default true. */
  environment?: boolean;
  /**
   * How long reaching a daemon on a socket and its greeting may take, in milliseconds, 1 or more; finding out with libvirt
   * why that failed takes 10 s more at most. Default 20 000.
   */
  launchTimeout?: number;
  /** How long `close` waits for a call under way before it cuts the line, in milliseconds, 0 or more. Default 10 000. */
  closeTimeout?: number;
  /**
   * How long the daemon may take to sync with autosync on, when the handle is shut down or closed, before the line is
   * cut, in milliseconds, 1 or more. Default 1 800 000 (half an hour): nothing tells a slow disk from a daemon that hangs.
   */
  syncTimeout?: number;
  /** Whether a handle that is still open when the process has nothing else to do is closed. Default true. */
  closeOnExit?: boolean;
  /** A pool whose appliances launches of this handle may use. */
  pool?: GuestfsPool;
}

const optionNames: Record<keyof GuestfsOptions, true> = {
  environment: true,
  launchTimeout: true,
  closeTimeout: true,
  syncTimeout: true,
  closeOnExit: true,
  pool: true,
};

const handles = new WeakMap<object, Handle>();
const openHandles = new Set<Handle>();

function handleOf(object: unknown): Handle {
  const handle = typeof object === "object" && object !== null ? handles.get(object) : undefined;
  if (!handle) throw new TypeError("the method was not called on a Guestfs");
  return handle;
}

process.on("beforeExit", () => {
  for (const handle of openHandles) {
    openHandles.delete(handle);
    close(handle).catch((error: unknown) =>
      handle.warn(`closing at exit: ${error instanceof Error ? error.message : String(error)}`),
    );
  }
});

function milliseconds(name: string, value: number | undefined, low: number, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value !== "number") throw new TypeError(`Guestfs: ${name} must be a number, not ${typeof value}`);
  if (!(value >= low && value <= 0x7fffffff))
    throw new RangeError(`Guestfs: ${name}: ${value} is not from ${low} to 2147483647 milliseconds`);
  return value;
}

/**
 * A handle: some disks and the appliance that works on them, or a conversation with a daemon that runs elsewhere.
 *
 * It begins in state CONFIG, where drives and settings are given; `launch` makes it READY; `shutdown` leads back.
 * Calls are made one at a time, in the order in which the methods were called. Close it: `await using g = new Guestfs()`
 * or `await g.close()`.
 *
 * Every call of libguestfs is a method: its name in camel case, required arguments by position, optional ones together
 * with `signal` and `onProgress` in one object at the end. All of them reject with
 * {@link GuestfsError} or one of its kinds, and with `TypeError` or `RangeError` when an argument makes no sense.
 */
export class Guestfs {
  /**
   * @throws TypeError when there is no such option; RangeError when a variable of the environment, or an option, makes no sense
   */
  constructor(options: GuestfsOptions = {}) {
    requireKnown("Guestfs", options, optionNames);
    const environment = options.environment ?? true;
    const settings = new Settings(process.env);
    if (environment) settings.readEnvironment("Guestfs", process.env);
    const handle = new Handle(this, settings, {
      launchTimeout: milliseconds("launchTimeout", options.launchTimeout, 1, 20_000),
      closeTimeout: milliseconds("closeTimeout", options.closeTimeout, 0, 10_000),
      syncTimeout: milliseconds("syncTimeout", options.syncTimeout, 1, 1_800_000),
    });
    handle.reserve = options.pool;
    handles.set(this, handle);
    warnOfIdleSettings(handle);
    if (options.closeOnExit ?? true) openHandles.add(handle);
  }

  /**
   * Calls `listener` whenever the event happens, in the order in which listeners came.
   * @param event - one of the names of {@link EventMap}
   * @returns a function that ends it
   * @throws RangeError when there is no such event; StateError when the handle was closed
   */
  on<E extends EventName>(event: E, listener: EventListener<E>): () => void {
    const handle = handleOf(this);
    requireOpen(handle.state, "set_event_callback");
    return handle.events.on(event, listener);
  }

  /**
   * Registers a callback in libguestfs's form; {@link Guestfs.on} gives typed events (guestfs(3), EVENTS).
   * @param callback - receives the event's bit, the number that this call gives back, text and numbers of the event
   * @param mask - bits of the events wanted
   * @returns a number for {@link Guestfs.deleteEventCallback}, 0 or more
   * @throws RangeError when a bit is no event's; StateError when the handle was closed
   */
  setEventCallback(callback: EventCallback, mask: number): number {
    const handle = handleOf(this);
    requireOpen(handle.state, "set_event_callback");
    return handle.events.setCallback(mask, callback);
  }

  /**
   * Ends what {@link Guestfs.setEventCallback} began; nothing happens when it had ended already.
   * @param eventHandle - the number that it gave back
   */
  deleteEventCallback(eventHandle: number): void {
    handleOf(this).events.deleteCallback(eventHandle);
  }

  /**
   * Names of the events in a mask, separated by commas.
   * @param mask - bits of events
   * @throws RangeError when a bit is no event's
   */
  eventToString(mask: number): string {
    return eventToString(mask);
  }

  /**
   * Keeps a value with the handle, under a name (guestfs(3), PRIVATE DATA AREA). It is there until the listeners of
   * `close` have run. Ends a walk of {@link Guestfs.firstPrivate}.
   * @param key - any text; names that begin with `_` are for the library and its kin
   * @param value - anything; `null` takes the entry away
   */
  setPrivate(key: string, value: unknown): void {
    handleOf(this).privateData.set(key, value);
  }

  /**
   * The value kept under a name, `null` when there is none.
   * @param key - any text
   */
  getPrivate(key: string): unknown {
    return handleOf(this).privateData.get(key);
  }

  /**
   * Begins a walk over the entries, in no defined order.
   * @returns name and value of the first, `undefined` when there are none
   */
  firstPrivate(): readonly [key: string, value: unknown] | undefined {
    return handleOf(this).privateData.first(handleOf(this).state);
  }

  /**
   * Goes on with the walk.
   * @returns name and value of the next, `undefined` at the end
   * @throws StateError when no walk was begun, or `setPrivate` was called since
   */
  nextPrivate(): readonly [key: string, value: unknown] | undefined {
    return handleOf(this).privateData.next(handleOf(this).state);
  }

  /** The entries of the private data area as they are now; changing them meanwhile does no harm. */
  privateEntries(): IterableIterator<[key: string, value: unknown]> {
    return handleOf(this).privateData.entries();
  }

  /**
   * Everything below a folder of the machine, each folder before what is in it, the names of a folder in the order of
   * their bytes. One call of our daemon, in which find(1) does the work; with any other daemon, or where a policy limits
   * paths or calls, `ls`, `lstatnslist` and `readlinklist` for each folder.
   *
   * Other calls may be made between two entries. What goes away meanwhile is left out. No more than some tens of
   * megabytes are held, or what is directly in the largest folder: the parts of a larger tree are walked one by one.
   * @param directory - absolute path; a symbolic link is followed. It is not among what is given
   * @throws RemoteError when the folder, or one below it, can't be read; ProtocolError when the daemon sends nonsense
   */
  walk(directory: string, options: WalkOptions = {}): AsyncGenerator<WalkEntry, void, void> {
    return walk(handleOf(this), callSite(this.walk), [directory, options]);
  }

  /**
   * Ends everything: calls that wait are refused, a transfer under way is cancelled, any other call may end within
   * `closeTimeout`; then, with autosync on, file systems are synced and unmounted (not when all drives are
   * read-only, since nothing is kept), the appliance ends, and the listeners of `close` run. May be called again; the handle can't be used afterwards.
   * Syncing may take up to `syncTimeout`. Aborting the signal, or `userCancel`, cuts all this short: what was not synced is lost.
   * @param options - a signal that cuts it short; also one of a later call
   * @throws GuestfsError when syncing failed or was cut short; the handle is closed all the same
   */
  close(options: Pick<CallOptions, "signal"> = {}): Promise<void> {
    const handle = handleOf(this);
    openHandles.delete(handle);
    return close(handle, options.signal);
  }

  /** The same as {@link Guestfs.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Its calls: methods.ts puts them on the prototype. */
export interface Guestfs extends GuestfsApi {}

installMethods(Guestfs.prototype, handleOf);
