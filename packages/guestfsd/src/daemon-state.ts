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
}

/** What lives as long as one conversation. Handlers keep their open things (augeas, hivex, inotify, journal) in {@link DaemonState.slots}. */
export class DaemonState {
  readonly options: DaemonOptions;
  readonly sysroot: Sysroot;
  /** Largest chunk that the client takes, in bytes. */
  chunkSize: number;
  readonly #slots = new Map<symbol, { value: unknown; close: () => void }>();

  constructor(options: DaemonOptions, chunkSize: number) {
    this.options = options;
    this.sysroot = new Sysroot(options.sysroot);
    this.chunkSize = chunkSize;
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

  /** Closes all that handlers kept. */
  close(): void {
    for (const key of this.#slots.keys()) this.drop(key);
  }
}
