import { existsSync } from "node:fs";
import type { DaemonLog } from "./daemon-log.ts";
import { defaultPolicyFile, loadPolicy, PolicyError } from "./policy.ts";
import type { Policy } from "./policy.ts";

/** The policy file, read again for each client, so that a change needs no restart. */
export class PolicySource {
  readonly #path: string;
  readonly #log: DaemonLog;
  /** The default one is a package's, and a machine may do without; one that was there does not go without a reason. */
  #mayBeMissing: boolean;
  #last: Policy;

  /**
   * @param path - `undefined` for the default place, where it may be missing
   * @throws PolicyError when it can't be read: a daemon does not start with a policy that it does not understand
   */
  constructor(path: string | undefined, log: DaemonLog) {
    this.#path = path ?? defaultPolicyFile;
    this.#log = log;
    this.#mayBeMissing = path === undefined && !existsSync(this.#path);
    this.#last = loadPolicy(this.#path, this.#mayBeMissing);
  }

  /** What is in force; when the file is no longer clear, or gone, a policy that refuses everything with that reason. */
  read(): Policy {
    try {
      this.#mayBeMissing &&= !existsSync(this.#path);
      this.#last = loadPolicy(this.#path, this.#mayBeMissing);
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      if (this.#last.broken !== error.message) this.#log.notice(`everything is refused: ${error.message}`);
      this.#last = { ...this.#last, broken: error.message };
    }
    return this.#last;
  }
}
