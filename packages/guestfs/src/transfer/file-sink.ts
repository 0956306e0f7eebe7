import { Writable } from "node:stream";
import type { FileSink } from "../call-options.ts";
import type { ByteSink } from "./byte-sink.ts";
import { PathSink } from "./path-sink.ts";
import { WebSink, WritableSink } from "./stream-sink.ts";

/** Where a caller's content goes. */
export function makeSink(sink: FileSink): ByteSink {
  if (typeof sink === "string") return new PathSink(sink);
  return sink instanceof WritableStream ? new WebSink(sink) : new WritableSink(sink);
}

/** What a transfer needs of a stream; that of a server's response is no `Writable`. */
const streamMethods = ["write", "end", "on", "off", "destroy"] as const;

/** Whether a value may stand where a place for content is asked for. */
export function isFileSink(value: unknown): value is FileSink {
  if (typeof value === "string" || value instanceof WritableStream || value instanceof Writable) return true;
  if (typeof value !== "object" || value === null) return false;
  return streamMethods.every((name) => typeof (value as Record<string, unknown>)[name] === "function");
}
