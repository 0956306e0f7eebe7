import { StateError } from "./errors.ts";

/** Values that the program keeps with a handle, by name (guestfs(3), PRIVATE DATA AREA). */
export class PrivateData {
  readonly #entries = new Map<string, unknown>();
  #walk: Iterator<[string, unknown]> | undefined;
  #walkInvalid = false;

  set(key: string, value: unknown): void {
    if (typeof key !== "string") throw new TypeError(`set_private: key must be a string, not ${typeof key}`);
    if (value === null || value === undefined) this.#entries.delete(key);
    else this.#entries.set(key, value);
    this.#walkInvalid = this.#walk !== undefined;
    this.#walk = undefined;
  }

  get(key: string): unknown {
    if (typeof key !== "string") throw new TypeError(`get_private: key must be a string, not ${typeof key}`);
    return this.#entries.get(key) ?? null;
  }

  first(state: string): readonly [string, unknown] | undefined {
    this.#walkInvalid = false;
    this.#walk = this.#entries.entries();
    return this.next(state);
  }

  /** @param state - the handle's, for the error */
  next(state: string): readonly [string, unknown] | undefined {
    if (!this.#walk) {
      const why = this.#walkInvalid
        ? "set_private was called since first_private, so the walk is no longer valid"
        : "first_private was not called";
      throw new StateError(why, state, { procedure: "next_private" });
    }
    const step = this.#walk.next();
    return step.done === true ? undefined : step.value;
  }

  /** The entries as they are now. */
  entries(): IterableIterator<[string, unknown]> {
    return new Map(this.#entries).entries();
  }

  clear(): void {
    this.#entries.clear();
    this.#walk = undefined;
    this.#walkInvalid = false;
  }
}
