import type { ApplianceReserve, Attachment } from "./attach/attachment.ts";
import type { Cancellation } from "./cancellation.ts";
import type { Connection } from "./connection.ts";
import { ConnectionClosedError } from "./errors.ts";
import { DriveList } from "./drives.ts";
import { EventHub } from "./events.ts";
import type { GuestfsApi } from "./gen/api.ts";
import type { LocalMount } from "./mount-local/local-mount.ts";
import { PrivateData } from "./private-data.ts";
import type { Settings } from "./settings.ts";
import { requireReady } from "./state.ts";
import type { HandleState } from "./state.ts";
import { TemporaryFolder } from "./temporary-folder.ts";
import { Turns } from "./turns.ts";

/** What a handle takes beside the settings. */
export interface HandleLimits {
  /** How long reaching a daemon on a socket may take, in milliseconds. */
  readonly launchTimeout: number;
  /** How long `close` waits for a call under way, in milliseconds. */
  readonly closeTimeout: number;
  /** How long the daemon may sync with autosync on, in milliseconds. */
  readonly syncTimeout: number;
}

/** The call that has the turn. */
export interface CurrentCall {
  readonly procedure: string;
  readonly cancellation: Cancellation;
}

async function removeAll(
  attachment: Attachment,
  folder: TemporaryFolder,
  unmounted: Promise<void> | undefined,
): Promise<void> {
  try {
    await unmounted;
    await attachment.stop();
  } finally {
    await folder.remove();
  }
}

/** What stands behind a `Guestfs`: its state and everything that belongs to it. */
export class Handle {
  readonly settings: Settings;
  readonly limits: HandleLimits;
  readonly drives: DriveList = new DriveList();
  readonly events: EventHub = new EventHub();
  readonly privateData: PrivateData = new PrivateData();
  readonly turns: Turns = new Turns();
  readonly temporary: TemporaryFolder = new TemporaryFolder(() => this.settings.tmpdir);
  /** Conversations with daemons that know only the old way to read directories. */
  readonly retiredReaddir: WeakSet<Connection> = new WeakSet();
  /** The object whose methods are the calls. */
  readonly api: GuestfsApi;
  /** Where the machine is mounted on this host, or was; it waits for `mount_local_run`. */
  localMount: LocalMount | undefined;
  /** Where launches may take an appliance from. */
  reserve: ApplianceReserve | undefined;
  current: CurrentCall | undefined;
  /** A launch under way; aborting it stops it. */
  launching: AbortController | undefined;
  /** `close`, while it is under way. */
  closing: CurrentCall | undefined;
  /** Settles when the handle is closed; `undefined` while nobody closed it. */
  closed: Promise<void> | undefined;
  #attachment: Attachment | undefined;
  #ended = false;
  #lost = "";
  #forgotten: Promise<void> = Promise.resolve();

  constructor(api: GuestfsApi, settings: Settings, limits: HandleLimits) {
    this.api = api;
    this.settings = settings;
    this.limits = limits;
  }

  get state(): HandleState {
    // A handle that is being closed takes no more calls, so it counts as closed.
    if (this.closed || this.#ended) return "CLOSED";
    if (this.launching) return "LAUNCHING";
    return this.#attachment ? "READY" : "CONFIG";
  }

  get attachment(): Attachment | undefined {
    return this.#attachment;
  }

  /** The conversation with the daemon, also while the handle is being closed. @throws StateError unless READY */
  readyConnection(procedure: string): Connection {
    if (!this.#attachment || this.launching) requireReady(this.state, procedure, this.#lost);
    return (this.#attachment as Attachment).connection;
  }

  /** Makes the handle READY. */
  adopt(attachment: Attachment): void {
    this.#attachment = attachment;
    this.#lost = "";
  }

  /** Leads back to CONFIG, without drives, at once; settles when nothing of the attachment is left. */
  forget(attachment: Attachment, lost = ""): Promise<void> {
    if (this.#attachment === attachment) {
      this.#attachment = undefined;
      this.#lost = lost;
      this.drives.clear();
      const folder = this.temporary.take();
      const unmounted = this.localMount?.end(lost === "" ? undefined : new ConnectionClosedError(lost));
      this.#forgotten = removeAll(attachment, folder, unmounted);
      // Whoever waits for it learns of its failure.
      this.#forgotten.catch(() => undefined);
    }
    return this.#forgotten;
  }

  /** Nothing can be done with the handle from now on. */
  async finish(): Promise<void> {
    this.#ended = true;
    this.closing = undefined;
    await this.#forgotten.catch((error: unknown) => this.warn(String(error)));
    this.events.emit("close", {});
    this.privateData.clear();
    this.events.clear();
    await this.temporary.remove();
  }

  debug(message: string): void {
    if (this.settings.verbose) this.say(message);
  }

  /** Tells something that was asked for. */
  say(message: string): void {
    if (!this.events.emit("library", { message })) process.stderr.write(`libguestfs: ${message}\n`);
  }

  warn(message: string): void {
    if (!this.events.emit("warning", { message })) process.stderr.write(`libguestfs: warning: ${message}\n`);
  }

  trace(message: string): void {
    const { identifier } = this.settings;
    const line = identifier === "" ? message : `${identifier}: ${message}`;
    if (!this.events.emit("trace", { message: line })) process.stderr.write(`libguestfs: trace: ${line}\n`);
  }

  applianceSaid(text: string): void {
    if (!this.events.emit("appliance", { text }) && this.settings.verbose) process.stderr.write(text);
  }
}
