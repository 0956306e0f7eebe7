import { camelCase, effectOf } from "@guestfs/schema";
import type { Procedure } from "@guestfs/schema";
import type { DaemonLog } from "./daemon-log.ts";
import type { ClientRecord } from "./service.ts";

/** Parameters whose text is content, or may hold a secret: their length is told, and nothing of them. */
const concealed = new Set([
  ...[
    "acl",
    "command",
    "content",
    "expr",
    "extraargs",
    "key",
    "line",
    "lines",
    "newkey",
    "pattern",
    "regex",
    "val",
    "words",
  ],
]);
const textMax = 200;

function shown(value: unknown, conceal: boolean): string {
  if (value instanceof Uint8Array) return `<${value.length} bytes>`;
  if (Array.isArray(value)) {
    const some = value.slice(0, 8).map((one) => shown(one, conceal));
    return `[${some.join(",")}${value.length > some.length ? `,...${value.length} in all` : ""}]`;
  }
  if (typeof value !== "string") return String(value);
  if (conceal) return `<${value.length} characters>`;
  // Quotes keep a name with a line end from looking like another line of the log.
  return JSON.stringify(value.length > textMax ? `${value.slice(0, textMax)}...` : value);
}

/** A call for the log: its name and its arguments, but no content and no secret. */
export function describeCall(row: Procedure, args: Readonly<Record<string, unknown>> | undefined): string {
  if (!args) return row.name;
  const parameters = row.params
    .filter(({ of }) => of !== "file-in" && of !== "file-out")
    .map(({ name, of }) => {
      const value = args[camelCase(name)];
      // A program's arguments are where passwords stand; its name tells what was run.
      if (name === "arguments" && Array.isArray(value))
        return `${name}=[${shown(value[0], false)}${value.length > 1 ? `,<${value.length - 1} more>` : ""}]`;
      return `${name}=${shown(value, of === "key" || concealed.has(name))}`;
    });
  const optional = (row.optional ?? [])
    .filter(({ name }) => args[camelCase(name)] !== undefined)
    .map(({ name }) => `${name}=${shown(args[camelCase(name)], concealed.has(name))}`);
  return [row.name, ...parameters, ...optional].join(" ");
}

/** What becomes of one call, for the log and for the client's record. Calls that change nothing leave no line. */
export class Audit {
  readonly #log: DaemonLog;
  readonly #record: ClientRecord | undefined;
  readonly #row: Procedure;
  readonly #changes: boolean;
  #args: Readonly<Record<string, unknown>> | undefined;

  constructor(log: DaemonLog, record: ClientRecord | undefined, row: Procedure) {
    this.#log = log;
    this.#record = record;
    this.#row = row;
    this.#changes = effectOf(row.name) !== "none" || row.name === "extension_restrict";
    if (record) record.calls++;
  }

  asked(args: Readonly<Record<string, unknown>>): void {
    // The checks put the kernel's names into the arguments themselves; the log tells what was asked for.
    if (this.#changes) this.#args = { ...args };
  }

  done(): void {
    if (!this.#changes) return;
    if (this.#record) this.#record.changes++;
    this.#tell("done");
  }

  /** @param refused - it was not even begun */
  failed(message: string, refused = false): void {
    if (!this.#changes) return;
    if (this.#record) this.#record[refused ? "refused" : "changes"]++;
    this.#tell(`${refused ? "refused" : "failed"}: ${JSON.stringify(message.slice(0, 500))}`);
  }

  #tell(result: string): void {
    const { number = 0, who = "" } = this.#record ?? {};
    this.#log.notice(`client ${number} (${who}): ${describeCall(this.#row, this.#args)}: ${result}`);
  }
}
