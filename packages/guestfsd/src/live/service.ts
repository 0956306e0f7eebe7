import type { DaemonLog } from "./daemon-log.ts";
import type { Policy } from "./policy.ts";

/** What is told of a client. */
export interface ClientRecord {
  /** Counted from the daemon's start. */
  readonly number: number;
  /** Its process, when it is on this machine; otherwise the port that it came over. */
  readonly who: string;
  /** ISO 8601 */
  readonly since: string;
  until: string | undefined;
  calls: number;
  /** Calls that changed the machine, or might have. */
  changes: number;
  refused: number;
}

/** What is the same for every conversation of a daemon in a running machine. */
export class Service {
  readonly log: DaemonLog;
  /** Reads the policy; what it was when the daemon started has been read already. */
  readonly policy: () => Policy;
  /** Where every daemon of this machine leaves notes for the others; on a filesystem in memory. */
  readonly runFolder: string;
  readonly started: string = new Date().toISOString();
  #clients = 0;
  #last: ClientRecord | undefined;
  #current: ClientRecord | undefined;

  constructor(log: DaemonLog, policy: () => Policy, runFolder: string) {
    this.log = log;
    this.policy = policy;
    this.runFolder = runFolder;
  }

  get clients(): number {
    return this.#clients;
  }

  get currentClient(): ClientRecord | undefined {
    return this.#current;
  }

  /** The client before the one that is served. */
  get lastClient(): ClientRecord | undefined {
    return this.#last;
  }

  begin(who: string): ClientRecord {
    this.#current = {
      number: ++this.#clients,
      who,
      since: new Date().toISOString(),
      until: undefined,
      calls: 0,
      changes: 0,
      refused: 0,
    };
    return this.#current;
  }

  end(): void {
    if (!this.#current) return;
    this.#current.until = new Date().toISOString();
    // Who connects and asks for nothing is not worth remembering.
    if (this.#current.calls > 0 || !this.#last) this.#last = this.#current;
    this.#current = undefined;
  }
}
