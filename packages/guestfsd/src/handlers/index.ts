import type { AnyHandler } from "../context.ts";
import { daemon } from "./daemon.ts";
import { extension } from "./extension.ts";
import { internal } from "./internal.ts";
import { lvm } from "./lvm.ts";
import { transfer } from "./transfer.ts";

/** Every handler by the wire name of its procedure. */
export const handlers: ReadonlyMap<string, AnyHandler> = new Map(
  [daemon, extension, internal, lvm, transfer].flatMap((topic) => Object.entries(topic) as [string, AnyHandler][]),
);
