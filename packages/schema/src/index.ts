/**
 * The API of libguestfs as data: one row for each call, from which the client's methods, the daemon's
 * handler types, the shell's commands and the reference are made.
 * @packageDocumentation
 */
import type { Struct } from "./procedure.ts";
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
export { isMethod, isSynchronous, procedureByName, procedures, topicOf } from "./rows.ts";

/** Structs by name. */
export const structByName: ReadonlyMap<string, Struct> = new Map(structs.map((struct) => [struct.name, struct]));
