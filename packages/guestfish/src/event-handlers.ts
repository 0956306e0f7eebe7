import type { Guestfs } from "guestfs";
import type { Console } from "./console.ts";
import { ShellError } from "./shell-error.ts";

/** An event handler of the shell: a script of the host that runs when something happens. */
export interface EventHandler {
  readonly name: string;
  readonly id: number;
  readonly mask: number;
  readonly events: readonly string[] | "*";
  readonly script: string;
}

/** The handlers registered with the `event` command. */
export class EventHandlers {
  #handlers: EventHandler[] = [];

  /** All of them, by their names, and of one name the oldest first. */
  get all(): readonly EventHandler[] {
    return this.#handlers.toSorted((left, right) => (left.name < right.name ? -1 : Number(left.name > right.name)));
  }

  /**
   * Registers a script for a comma-separated list of events, or `*`. The beginning of a name stands for the first of
   * the alphabet that has it. Throws {@link ShellError} for an unknown event.
   */
  async add(handle: Guestfs, console: () => Console, name: string, eventSet: string, script: string): Promise<void> {
    const [{ events }, { runEventScript }] = await Promise.all([
      import("@guestfs/schema"),
      import("./event-script.ts"),
    ]);
    const known = events.map((event) => event.name).toSorted();
    const wanted = eventSet === "*" ? known : eventSet.split(",").filter((text) => text !== "");
    const found = new Set(
      (wanted.length === 0 ? [""] : wanted).map((text) => {
        const name = known.find((candidate) => text !== "" && candidate.startsWith(text));
        if (name === undefined) throw new ShellError(`unknown event: ${text}: use ${known.join(", ")}, or *`);
        return name;
      }),
    );
    const names = known.filter((name) => found.has(name));
    const mask = events.reduce((bits, row) => (found.has(row.name) ? bits | row.mask : bits), 0);
    const id = handle.setEventCallback((event, _id, text, numbers) => {
      const happened = events.find((row) => row.mask === event)?.name ?? String(event);
      runEventScript(console(), script, happened, text === "" ? numbers.map(String) : [text]);
    }, mask);
    this.#handlers.push({ name, id, mask, script, events: eventSet === "*" ? "*" : names });
  }

  /** Removes every handler of that name; `false` when there is none. */
  remove(handle: Guestfs, name: string): boolean {
    const gone = this.#handlers.filter((handler) => handler.name === name);
    for (const handler of gone) handle.deleteEventCallback(handler.id);
    this.#handlers = this.#handlers.filter((handler) => handler.name !== name);
    return gone.length > 0;
  }

  /** The handle was closed, and they with it. */
  forget(): void {
    this.#handlers = [];
  }
}
