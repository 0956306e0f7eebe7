import { camelCase, effectOf } from "@guestfs/schema";
import type { Procedure } from "@guestfs/schema";
import { DaemonError, ProgramError, RefusedError } from "../daemon-error.ts";
import type { DaemonLog } from "./daemon-log.ts";
import type { ClientRecord } from "./service.ts";

/** Parameters whose text is content, or may hold a secret: their length is told, and nothing of them. */
const concealed = new Set(
  "acl command content expr extraargs key line lines newkey pattern regex val words".split(" "),
);
const textMax = 200;
const errorMax = 500;

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

/** Options of mount(8) by their names: the values may be passwords, as those of CIFS are. A doubled comma is one of a value. */
function optionNames(options: string): string {
  return options.replaceAll(/=(?:"[^"]*(?:"|$)|,,|[^,])*/g, "=...");
}

function described({ name, of }: { readonly name: string; readonly of?: string }, value: unknown): string {
  // A program's arguments are where passwords stand; its name tells what was run.
  if (name === "arguments" && Array.isArray(value))
    return `${name}=[${shown(value[0], false)}${value.length > 1 ? `,<${value.length - 1} more>` : ""}]`;
  if (name === "options" && typeof value === "string") return `${name}=${shown(optionNames(value), false)}`;
  return `${name}=${shown(value, of === "key" || concealed.has(name))}`;
}

/** A call for the log: its name and its arguments, but no content and no secret. */
export function describeCall(row: Procedure, args: Readonly<Record<string, unknown>> | undefined): string {
  if (!args) return row.name;
  const parameters = row.params.filter(({ of }) => of !== "file-in" && of !== "file-out");
  const optional = (row.optional ?? []).filter(({ name }) => args[camelCase(name)] !== undefined);
  return [row.name, ...[...parameters, ...optional].map((one) => described(one, args[camelCase(one.name)]))].join(" ");
}

/** Whether an error may repeat what {@link describeCall} leaves out. */
function mayTellSecrets(row: Procedure): boolean {
  const names = [...row.params, ...(row.optional ?? [])].map(({ name }) => name);
  return (
    row.params.some(({ of }) => of === "key") ||
    names.some((name) => concealed.has(name) || name === "arguments" || name === "options")
  );
}

function wasRefused(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) if (one instanceof RefusedError) return true;
  return false;
}

function describeFailure(row: Procedure, error: Error): string {
  if (!(error instanceof DaemonError) || !mayTellSecrets(row)) return JSON.stringify(error.message.slice(0, errorMax));
  return error instanceof ProgramError ? error.end : error.errno || "for a reason that may have content in it";
}

/** What becomes of one call, for the log and for the client's record. Calls that change nothing leave a line only when they are refused. */
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
    this.#args = this.#changes ? { ...args } : args;
  }

  done(): void {
    if (!this.#changes) return;
    if (this.#record) this.#record.changes++;
    this.#tell("done");
  }

  /** @param begun - whether the arguments were in order, so that something may have been done */
  failed(error: Error, begun: boolean): void {
    if (wasRefused(error)) {
      if (this.#record) this.#record.refused++;
      this.#tell(`refused: ${JSON.stringify(error.message.slice(0, errorMax))}`);
    } else if (this.#changes) {
      if (this.#record && begun) this.#record.changes++;
      this.#tell(`failed: ${describeFailure(this.#row, error)}`);
    }
  }

  #tell(result: string): void {
    const { number = 0, who = "" } = this.#record ?? {};
    const call = describeCall(this.#row, this.#args);
    // Of `rsync://user:password@host`, the password.
    const line = `${call}: ${result}`.replaceAll(/(:\/\/[^\s/:@"]*):[^\s/@"]*@/g, "$1:...@");
    this.#log.notice(`client ${number} (${who}): ${line}`);
  }
}
