import { DaemonError } from "./daemon-error.ts";
import { CallGuard } from "./live/call-guard.ts";
import type { Service } from "./live/service.ts";
import { enterReadOnlyMounts } from "./native/namespace.ts";
import { Sysroot } from "./sysroot.ts";

/** How the daemon was started. */
export interface DaemonOptions {
  /** Folder that is the guest's `/`. Default `/sysroot`; `/` when live. */
  readonly sysroot: string;
  /** `-r`: the daemon runs inside the machine whose files it serves. */
  readonly live: boolean;
  /** `-n`: programs of the guest may use the network. */
  readonly network: boolean;
  /** `-v`: log every call to stderr. */
  readonly verbose: boolean;
  /** Runs in the appliance, so that `/dev/sdX` is the X-th drive whatever the kernel calls it. */
  readonly appliance: boolean;
  /** Under a policy, with a log; absent where whoever has the channel may do everything. */
  readonly service?: Service;
}

/** What lives as long as one conversation. Handlers keep their open things (augeas, hivex, inotify, journal) in {@link DaemonState.slots}. */
export class DaemonState {
  readonly options: DaemonOptions;
  readonly sysroot: Sysroot;
  /** Says what this conversation may do; absent: everything. */
  readonly guard: CallGuard | undefined;
  /** Largest chunk that the client takes, in bytes. */
  chunkSize: number;
  /** Done again and again while the client says nothing; takes a moment. */
  tend: (() => void) | undefined;
  readonly #slots = new Map<symbol, { value: unknown; close: () => void }>();

  #leaveReadOnly: (() => void) | undefined;

  constructor(options: DaemonOptions, chunkSize: number) {
    this.options = options;
    const { service } = options;
    this.guard = service && new CallGuard(service.policy(), service.runFolder);
    this.sysroot = new Sysroot(options.sysroot, this.guard?.paths);
    this.chunkSize = chunkSize;
    if (this.guard?.readOnly) this.#leaveReadOnly = enterReadOnlyMounts();
  }

  /**
   * Refuses changes for the rest of the conversation. The kernel sees to it as well, where it can: all mounts are
   * read-only then for the daemon and its programs, and keep no times of access.
   */
  restrictToReading(): void {
    this.guard?.restrictToReading();
    this.#leaveReadOnly ??= enterReadOnlyMounts();
  }

  /** Does something for which the daemon itself has to write. */
  outsideReadOnly<T>(action: () => T): T {
    if (!this.#leaveReadOnly) return action();
    this.#leaveReadOnly();
    this.#leaveReadOnly = undefined;
    try {
      return action();
    } finally {
      this.#leaveReadOnly = enterReadOnlyMounts();
    }
  }

  /**
   * Does something where what is mounted is mounted for the daemon alone.
   * @throws DaemonError with ENOTSUP where the kernel doesn't let it
   */
  insideReadOnly<T>(action: () => T): T {
    if (this.#leaveReadOnly) return action();
    const leave = enterReadOnlyMounts();
    if (!leave) throw new DaemonError("the daemon can have no mounts of its own here", "ENOTSUP");
    try {
      return action();
    } finally {
      leave();
    }
  }

  /** What a handler keeps under its key between calls. */
  get<T>(key: symbol): T | undefined {
    return this.#slots.get(key)?.value as T | undefined;
  }

  /** Keeps something until {@link drop} or the end of the conversation; what was there before is closed. */
  keep(key: symbol, value: unknown, close: () => void): void {
    this.drop(key);
    this.#slots.set(key, { value, close });
  }

  drop(key: symbol): void {
    const slot = this.#slots.get(key);
    this.#slots.delete(key);
    slot?.close();
  }

  /** Keeps something no longer that was closed already. */
  forget(key: symbol): void {
    this.#slots.delete(key);
  }

  /** Closes all that handlers kept. */
  close(): void {
    for (const key of this.#slots.keys()) this.drop(key);
    this.#leaveReadOnly?.();
    this.#leaveReadOnly = undefined;
  }
}
