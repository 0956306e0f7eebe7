import type { AnyHandler } from "../context.ts";
import { daemon } from "./daemon.ts";
import { extension } from "./extension.ts";
import { internal } from "./internal.ts";
import { transfer } from "./transfer.ts";

/** Every handler by the wire name of its procedure. */
export const handlers: ReadonlyMap<string, AnyHandler> = new Map(
  [daemon, extension, internal, transfer].flatMap((topic) => Object.entries(topic) as [string, AnyHandler][]),
);
