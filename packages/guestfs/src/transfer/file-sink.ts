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

/** Whether a value may stand where a place for content is asked for. */
export function isFileSink(value: unknown): value is FileSink {
  if (typeof value === "string" || value instanceof WritableStream) return true;
  return (
    value instanceof Writable || (typeof value === "object" && value !== null && "write" in value && "end" in value)
  );
}
