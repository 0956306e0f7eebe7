interface Waiter {
  enter(): void;
  refuse(reason: (procedure: string) => Error): void;
}

/** Lets calls in one at a time, in the order they came. */
export class Turns {
  #busy = false;
  readonly #waiting: Waiter[] = [];

  /** Whether a call is under way. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Takes the turn. `undefined`: it is ours at once; else wait for the promise. Each turn taken is given back with {@link leave}. */
  enter(procedure: string, signal?: AbortSignal): Promise<void> | undefined {
    if (!this.#busy) {
      this.#busy = true;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal?.reason as Error);
      };
      const waiter: Waiter = {
        enter: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
        refuse: (reason) => {
          signal?.removeEventListener("abort", onAbort);
          reject(reason(procedure));
        },
      };
      this.#waiting.push(waiter);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Gives the turn to the next in line. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next) next.enter();
    else this.#busy = false;
  }

  /**
   * Turns away everyone who is waiting.
   * @param reason - makes the error of a call out of its wire name
   */
  refuse(reason: (procedure: string) => Error): void {
    for (const waiter of this.#waiting.splice(0)) waiter.refuse(reason);
  }
}
