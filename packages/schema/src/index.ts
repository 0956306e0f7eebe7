/**
 * The API of libguestfs as data: one row for each call, from which the client's methods, the daemon's
 * handler types, the shell's commands and the reference are made.
 * @packageDocumentation
 */
import { topics } from "./procedures/index.ts";
import type { Topic } from "./procedures/index.ts";
import type { Procedure, Struct } from "./procedure.ts";
import { structs } from "./structs.ts";

export type { OptionalParameter, Parameter, Procedure, Result, StringKind, Struct, StructField } from "./procedure.ts";
export type * from "./gen/procedure-map.ts";
export type { Topic } from "./procedures/index.ts";
export { camelCase, kebabCase, pascalCase } from "./names.ts";
export { effectOf, effects } from "./effects.ts";
export type { Effect } from "./effects.ts";
export { errnoNames } from "./errno.ts";
export { events } from "./events.ts";
export { groups } from "./groups.ts";
export { structs } from "./structs.ts";
export { topics } from "./procedures/index.ts";

/** Every call, in the order of the topics. */
export const procedures: readonly Procedure[] = Object.values(topics).flat();

/** Rows by wire name. */
export const procedureByName: ReadonlyMap<string, Procedure> = new Map(procedures.map((row) => [row.name, row]));

/** Structs by name. */
export const structByName: ReadonlyMap<string, Struct> = new Map(structs.map((struct) => [struct.name, struct]));

/** The topic that holds a call; `undefined` for an unknown name. */
export function topicOf(name: string): Topic | undefined {
  return (Object.keys(topics) as Topic[]).find((topic) => topics[topic].some((row) => row.name === name));
}
