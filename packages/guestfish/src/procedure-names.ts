import { kebabCase, procedures } from "@guestfs/schema";
import type { Procedure } from "@guestfs/schema";
import { normaliseName } from "./command.ts";

const byName = new Map<string, Procedure>();
for (const row of procedures) {
  if (row.shell === false) continue;
  byName.set(normaliseName(row.name), row);
  for (const alias of row.aliases ?? []) byName.set(normaliseName(alias), row);
  for (const alias of row.shell?.aliases ?? []) byName.set(normaliseName(alias), row);
}

/** The call that a command's name or alias stands for. */
export function findProcedure(name: string): Procedure | undefined {
  return byName.get(normaliseName(name));
}

/** Names and aliases of a call in the shell, the name first. */
export function namesOf(row: Procedure): string[] {
  const aliases = row.shell === false ? [] : (row.shell?.aliases ?? []);
  return [kebabCase(row.name), ...aliases];
}

/** Every call that is a command. */
export function shellProcedures(): Procedure[] {
  return procedures.filter((row) => row.shell !== false);
}

/** How a call is written: its name, required parameters, then optional arguments in brackets. Secrets are prompted for. */
export function usageOf(row: Procedure): string {
  const required = row.params.filter((parameter) => parameter.of !== "key").map((parameter) => parameter.name);
  const optional = (row.optional ?? []).map((parameter) => `[${parameter.name}:${placeholder[parameter.type]}]`);
  return [kebabCase(row.name), ...required, ...optional].join(" ");
}

const placeholder = { bool: "true|false", int: "N", int64: "N", string: "..", "string-list": ".." } as const;
