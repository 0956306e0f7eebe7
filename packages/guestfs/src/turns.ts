interface Waiter {
  enter(): void;
  refuse(reason: (procedure: string) => Error): void;
}

/** Lets calls in one at a time, in the order they came. */
export class Turns {
  #busy = false;
  #closed: ((procedure: string) => Error) | undefined;
  #onIdle: (() => void) | undefined;
  readonly #waiting: Waiter[] = [];

  /** Whether a call is under way. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Takes the turn. `undefined`: it is ours at once; else wait for the promise. Each turn taken is given back with {@link leave}. */
  enter(procedure: string, signal?: AbortSignal): Promise<void> | undefined {
    if (this.#closed) return Promise.reject(this.#closed(procedure));
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
    if (next) {
      next.enter();
      return;
    }
    this.#busy = false;
    this.#onIdle?.();
  }

  /**
   * Turns away everyone who waits, and everyone who comes from now on.
   * @param reason - makes the error of a call out of its wire name
   * @returns `undefined` when no call is under way; else a promise for its end
   */
  close(reason: (procedure: string) => Error): Promise<void> | undefined {
    this.#closed = reason;
    for (const waiter of this.#waiting.splice(0)) waiter.refuse(reason);
    if (!this.#busy) return undefined;
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }
}
