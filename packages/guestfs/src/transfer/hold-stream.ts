import { Readable, Stream } from "node:stream";

function nothing(): void {
  // The transfer asks the stream itself how it is.
}

/** How many calls hold a stream: any number may wait to write to standard output, and each listener is one too many. */
const holders = new WeakMap<Stream, number>();

/**
 * Takes care of a caller's stream that has to wait for its turn: a child process that ends meanwhile would have its
 * output thrown away, and a failure that nobody listens for would end the process.
 * @param isSource - whether content is read from it; a stream that goes both ways may be either
 * @returns a function that lets go of it
 */
export function holdStream(stream: unknown, isSource: boolean): () => void {
  if (!(stream instanceof Stream)) return nothing;
  const before = holders.get(stream) ?? 0;
  holders.set(stream, before + 1);
  if (before === 0) stream.on("error", nothing);
  // With a listener for it, nobody but the transfer makes the stream flow.
  if (isSource && stream instanceof Readable) stream.on("readable", nothing);
  return () => {
    stream.off("readable", nothing);
    const left = (holders.get(stream) ?? 1) - 1;
    holders.set(stream, left);
    if (left === 0) stream.off("error", nothing);
  };
}
