import type { DaemonLog } from "./daemon-log.ts";
import { loadPolicy, PolicyError } from "./policy.ts";
import type { Policy } from "./policy.ts";

/** The policy file, read again for each client, so that a change needs no restart. */
export class PolicySource {
  readonly #path: string | undefined;
  readonly #log: DaemonLog;
  #last: Policy;

  /** @throws PolicyError when it can't be read: a daemon does not start with a policy that it does not understand */
  constructor(path: string | undefined, log: DaemonLog) {
    this.#path = path;
    this.#log = log;
    this.#last = loadPolicy(path);
  }

  /** What is in force; when the file is no longer clear, a policy that refuses everything with that reason. */
  read(): Policy {
    try {
      this.#last = loadPolicy(this.#path);
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      if (this.#last.broken !== error.message) this.#log.notice(`everything is refused: ${error.message}`);
      this.#last = { ...this.#last, broken: error.message };
    }
    return this.#last;
  }
}
