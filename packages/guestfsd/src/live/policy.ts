import { procedures, topics } from "@guestfs/schema";
import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { openQuietly } from "../quiet-open.ts";

/** What a machine lets its host's programs do. */
export interface Policy {
  /** Where it was read from, for messages. */
  readonly source: string;
  readonly readOnly: boolean;
  /** Wire names of the only calls there are; `undefined` for all. */
  readonly only: ReadonlySet<string> | undefined;
  readonly denied: ReadonlySet<string>;
  /** Calls that may be made although they are dangerous, or reach more than their arguments say. */
  readonly allowed: ReadonlySet<string>;
  /** Folders, files and devices to which all is limited; empty for no limit. */
  readonly allowedPaths: readonly string[];
  readonly deniedPaths: readonly string[];
  /** Why everything is refused: the file was changed to something unclear. */
  readonly broken?: string;
}

/** A policy file that says nothing clear. */
export class PolicyError extends Error {
  override readonly name: string = "PolicyError";
}

/** Where a policy is looked for. */
export const defaultPolicyFile = "/etc/guestfsd/policy.json";

const names: readonly string[] = procedures.flatMap((row) => (row.proc === undefined ? [] : [row.name]));

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(where: string, value: unknown, known: readonly string[]): Fields {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new PolicyError(`${where} is not an object`);
  for (const key of Object.keys(value))
    if (!known.includes(key))
      throw new PolicyError(`${where} has no field ${JSON.stringify(key)}; its fields are ${known.join(", ")}`);
  return value as Fields;
}

function textsOf(where: string, value: unknown): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every((text) => typeof text === "string"))
    throw new PolicyError(`${where} is not a list of strings`);
  return value;
}

/** The calls that a word of a policy names: `mkfs`, `part_*`, `group:lvm2`, `topic:partition`. */
function callsNamed(where: string, word: string): string[] {
  const [, kind, name] = /^(?:(group|topic):)?(.+)$/.exec(word) ?? [];
  const spelled = (name ?? "").replaceAll("-", "_");
  let found: string[];
  if (kind === "group")
    found = procedures.filter((row) => row.proc !== undefined && row.group === name).map((row) => row.name);
  else if (kind === "topic")
    found = (Object.hasOwn(topics, name ?? "") ? topics[name as keyof typeof topics] : [])
      .filter((row) => row.proc !== undefined)
      .map((row) => row.name);
  else if (spelled.endsWith("*")) found = names.filter((call) => call.startsWith(spelled.slice(0, -1)));
  else found = names.includes(spelled) ? [spelled] : [];
  // A word that names nothing is a slip of the pen, and what was meant would not be refused.
  if (found.length === 0) throw new PolicyError(`${where}: ${JSON.stringify(word)} names no call of the daemon`);
  return found;
}

function callSet(where: string, value: unknown): Set<string> {
  return new Set(textsOf(where, value).flatMap((word) => callsNamed(where, word)));
}

function pathsOf(where: string, value: unknown): string[] {
  return textsOf(where, value).map((path) => {
    if (!path.startsWith("/") || /(?:^|\/)\.{1,2}(?:\/|$)/.test(path) || path.includes("\0"))
      throw new PolicyError(`${where}: ${JSON.stringify(path)} is not an absolute path without . and ..`);
    return path.replaceAll(/\/{2,}/g, "/").replace(/(.)\/$/, "$1");
  });
}

/**
 * Reads a policy (docs/guide/live.md describes it).
 * @param source - the file's name, for messages
 * @throws PolicyError saying what is wrong with it
 */
export function parsePolicy(text: string, source: string): Policy {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new PolicyError(`${source} is no JSON: ${(error as Error).message}`, { cause: error });
  }
  const at = (field: string): string => `${source}: ${field}`;
  const policy = fieldsOf(at("the policy"), json, ["mode", "calls", "paths"]);
  if (json === undefined || json === null) throw new PolicyError(at("the policy is not an object"));
  const { mode = "read-write" } = policy;
  if (mode !== "read-write" && mode !== "read-only")
    throw new PolicyError(at(`mode is ${JSON.stringify(mode)}, and must be "read-write" or "read-only"`));
  const calls = fieldsOf(at("calls"), policy["calls"], ["only", "deny", "allow"]);
  const paths = fieldsOf(at("paths"), policy["paths"], ["allow", "deny"]);
  const allowedPaths = pathsOf(at("paths.allow"), paths["allow"]);
  // No limit, or nothing at all? Whoever wrote it has to say.
  if (paths["allow"] !== undefined && allowedPaths.length === 0)
    throw new PolicyError(at("paths.allow is empty: leave it out, or say which paths are meant"));
  return {
    source,
    readOnly: mode === "read-only",
    only: calls["only"] === undefined ? undefined : callSet(at("calls.only"), calls["only"]),
    denied: callSet(at("calls.deny"), calls["deny"]),
    allowed: callSet(at("calls.allow"), calls["allow"]),
    allowedPaths,
    deniedPaths: pathsOf(at("paths.deny"), paths["deny"]),
  };
}

/** Reads a file and leaves its time of access, so that a client that only reads changes nothing by coming. */
function readUnseen(path: string): string {
  const { O_RDONLY, O_NOATIME } = constants;
  const file = openQuietly(O_RDONLY | O_NOATIME, O_RDONLY, (flags) => openSync(path, flags));
  try {
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}

/**
 * Reads a policy file.
 * @param mayBeMissing - no file is a policy that says nothing
 * @throws PolicyError
 */
export function loadPolicy(source: string, mayBeMissing = false): Policy {
  let text: string;
  try {
    text = readUnseen(source);
  } catch (error) {
    if (mayBeMissing && (error as NodeJS.ErrnoException).code === "ENOENT") text = "{}";
    else throw new PolicyError(`the policy can't be read: ${(error as Error).message}`, { cause: error });
  }
  return parsePolicy(text, source);
}

/** A policy in a few words. */
export function describePolicy(policy: Policy): string {
  const count = (what: string, list: { readonly size: number } | readonly string[]): string[] => {
    const number = "size" in list ? list.size : list.length;
    return number === 0 ? [] : [`${number} ${what}`];
  };
  if (policy.broken !== undefined) return `everything is refused: ${policy.broken}`;
  return [
    policy.readOnly ? "read-only" : "read-write",
    ...(policy.only ? [`only ${policy.only.size} calls`] : []),
    ...count("calls denied", policy.denied),
    ...count("calls allowed that are refused by default", policy.allowed),
    ...(policy.allowedPaths.length > 0 ? [`only below ${policy.allowedPaths.join(", ")}`] : []),
    ...(policy.deniedPaths.length > 0 ? [`nothing below ${policy.deniedPaths.join(", ")}`] : []),
    `from ${policy.source}`,
  ].join("; ");
}
