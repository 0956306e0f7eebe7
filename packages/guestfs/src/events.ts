import { events as eventRows } from "@guestfs/schema";

/** An event that has nothing to say but its name. */
export type NothingMore = Readonly<Record<string, never>>;

/** What listeners of each event receive (guestfs(3), EVENTS). */
export interface EventMap {
  /** The handle is being closed; the private data is still there. */
  close: NothingMore;
  /** The appliance or the daemon went away by itself. */
  subprocess_quit: {
    /** what was seen */
    readonly reason: string;
  };
  /** The handle became READY. */
  launch_done: NothingMore;
  /** A call goes on; also `launch` itself, with procedure 0. */
  progress: {
    /** procedure number of the call, 0 for `launch` */
    readonly procedure: number;
    readonly serial: number;
    /** 0 to `total` */
    readonly position: number;
    /** in units of the call's own; 1 together with position 0 when it can't tell how far it is */
    readonly total: number;
  };
  /** The appliance's console or the daemon's log said something. */
  appliance: {
    /** a piece of text, not necessarily whole lines */
    readonly text: string;
  };
  /** The library says what it does (with verbose on). */
  library: {
    /** one or more lines, without a newline at the end */
    readonly message: string;
  };
  /** A call was made or came back (with trace on). Keys and secrets are shown as `***`. */
  trace: {
    /** `mount "/dev/sda1" "/"`, later `mount = 0` */
    readonly message: string;
  };
  /** A public call was entered. */
  enter: {
    /** wire name, such as `part_add` */
    readonly procedure: string;
  };
  /** libvirt asks for credentials: see `getLibvirtRequestedCredentials`. */
  libvirt_auth: {
    /** URI of the connection that asks */
    readonly uri: string;
  };
  /** Something is not right, but the call goes on. */
  warning: {
    readonly message: string;
  };
}

/** Name of an event. */
export type EventName = keyof EventMap;

/** Receives an event. What it throws, or rejects with, ends up as a warning on standard error, never in the call. */
export type EventListener<E extends EventName> = (event: EventMap[E]) => void;

/**
 * Receives events in libguestfs's form.
 * @param event - the event's bit
 * @param handle - what `setEventCallback` gave back
 * @param text - text of the event, empty for those that have none
 * @param numbers - of `progress`: procedure, serial, position, total; else empty
 */
export type EventCallback = (event: number, handle: number, text: string, numbers: readonly number[]) => void;

const maskOf: ReadonlyMap<string, number> = new Map(eventRows.map((row) => [row.name, row.mask]));
const allEvents = eventRows.reduce((mask, row) => mask | row.mask, 0);

function textOf(event: object): string {
  for (const key of ["text", "message", "procedure", "uri"] as const) {
    const value = (event as Partial<Record<typeof key, unknown>>)[key];
    if (typeof value === "string") return value;
  }
  return "";
}

function numbersOf(event: object): readonly number[] {
  if (!("position" in event)) return [];
  const { procedure, serial, position, total } = event as EventMap["progress"];
  return [procedure, serial, position, total];
}

/** The listeners of a handle. */
export class EventHub {
  readonly #listeners = new Map<EventName, Set<EventListener<never>>>();
  readonly #callbacks = new Map<number, { mask: number; callback: EventCallback }>();
  #nextHandle = 0;

  /** Whether anyone wants this event. */
  wanted(name: EventName): boolean {
    if ((this.#listeners.get(name)?.size ?? 0) > 0) return true;
    if (this.#callbacks.size === 0) return false;
    const mask = maskOf.get(name) ?? 0;
    for (const entry of this.#callbacks.values()) if ((entry.mask & mask) !== 0) return true;
    return false;
  }

  on<E extends EventName>(name: E, listener: EventListener<E>): () => void {
    if (!maskOf.has(name)) throw new RangeError(`on: event: "${name}" is none of ${[...maskOf.keys()].join(", ")}`);
    if (typeof listener !== "function") throw new TypeError("on: listener must be a function");
    let listeners = this.#listeners.get(name);
    if (!listeners) this.#listeners.set(name, (listeners = new Set()));
    // Its own function for each subscription, so that the same listener may stand there twice.
    const entry: EventListener<E> = (event) => listener(event);
    listeners.add(entry);
    return () => void listeners.delete(entry);
  }

  setCallback(mask: number, callback: EventCallback): number {
    if (!Number.isInteger(mask) || mask === 0 || (mask & ~allEvents) !== 0)
      throw new RangeError(`setEventCallback: mask: ${mask} is no combination of event bits`);
    if (typeof callback !== "function") throw new TypeError("setEventCallback: callback must be a function");
    const handle = this.#nextHandle++;
    this.#callbacks.set(handle, { mask, callback });
    return handle;
  }

  deleteCallback(handle: number): void {
    this.#callbacks.delete(handle);
  }

  /** Tells everyone. @returns whether there was anyone */
  emit<E extends EventName>(name: E, event: EventMap[E]): boolean {
    let told = false;
    const listeners = this.#listeners.get(name);
    if (listeners) {
      for (const listener of Array.from(listeners)) {
        told = true;
        guarded(name, () => (listener as (event: EventMap[E]) => unknown)(event));
      }
    }
    const mask = maskOf.get(name) ?? 0;
    for (const [handle, entry] of this.#callbacks.size === 0 ? [] : [...this.#callbacks]) {
      if ((entry.mask & mask) === 0) continue;
      told = true;
      guarded(name, () => entry.callback(mask, handle, textOf(event), numbersOf(event)));
    }
    return told;
  }

  clear(): void {
    this.#listeners.clear();
    this.#callbacks.clear();
  }
}

/** Tells a listener something; its failure, also a later one, is a warning on standard error. */
export function guarded(name: string, tell: () => unknown): void {
  const failed = (error: unknown): void => {
    process.stderr.write(
      `libguestfs: warning: a listener of ${name} failed: ${error instanceof Error ? error.message : String(error)}\n`,
    );
  };
  try {
    const told = tell();
    if (told instanceof Promise) told.catch(failed);
  } catch (error) {
    failed(error);
  }
}

/**
 * The names of the events in a mask, in the order of their bits, such as `launch_done,progress`; empty for 0.
 * @param mask - event bits
 * @throws RangeError when a bit is no event's
 */
export function eventToString(mask: number): string {
  if (!Number.isInteger(mask) || (mask & ~allEvents) !== 0)
    throw new RangeError(`eventToString: mask: ${mask} is no combination of event bits`);
  return eventRows
    .filter((row) => (row.mask & mask) !== 0)
    .map((row) => row.name)
    .join(",");
}
