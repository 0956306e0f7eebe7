import type { CancelledError } from "./errors.ts";

/** Word from the caller that a call shall stop. One for each call; at most one listener, the transfer under way. */
export class Cancellation {
  #error: CancelledError | undefined;
  #listener: (() => void) | undefined;

  /** The error that the call has to fail with, once it has been cancelled. */
  get error(): CancelledError | undefined {
    return this.#error;
  }

  /** The first cancellation counts. */
  cancel(error: CancelledError): void {
    if (this.#error) return;
    this.#error = error;
    this.#listener?.();
  }

  /** Calls `listener` at once when it was cancelled already. */
  listen(listener: () => void): void {
    this.#listener = listener;
    if (this.#error) listener();
  }

  unlisten(): void {
    this.#listener = undefined;
  }

  /** Whether a transfer is under way that can be stopped. */
  get stoppable(): boolean {
    return this.#listener !== undefined;
  }

  /** @throws CancelledError once it has been cancelled */
  check(): void {
    if (this.#error) throw this.#error;
  }
}
