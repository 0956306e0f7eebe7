import { constants, open } from "node:fs";
import { stat } from "node:fs/promises";
import { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

/** Pause before looking again whether somebody reads, in milliseconds. */
const pauseMs = 20;

/** Whether a path is a pipe's, such as `mkfifo` makes; opened like a file, it would hold a thread until the other end comes. */
export function isFifo(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFIFO(),
    () => false,
  );
}

/**
 * Opens a pipe (fifo(7)) as a stream, to which destroying it puts an end at any time.
 * @param way - what is done with it. For writing, this waits for somebody who reads
 * @param signal - ends that waiting
 * @throws Error of the file system
 */
export async function openFifo(path: string, way: "read" | "write", signal?: AbortSignal): Promise<Socket> {
  const readable = way === "read";
  const flags = (readable ? constants.O_RDONLY : constants.O_WRONLY) | constants.O_NONBLOCK;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const fd = await promisify(open)(path, flags);
      return new Socket({ fd, readable, writable: !readable });
    } catch (error) {
      const nobodyReads = (error as NodeJS.ErrnoException).code === "ENXIO";
      if (!nobodyReads) throw error;
    }
    await delay(pauseMs, undefined, { signal });
  }
}
