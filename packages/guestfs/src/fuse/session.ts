import { closeSync, read, writevSync } from "node:fs";
import { constants } from "node:os";
import { FuseRequest, operation } from "./request.ts";

/** Largest write that the kernel sends at once, in bytes. */
const writeMax = 1024 * 1024;
const readBufferSize = writeMax + 4096;
const [major, minor] = [7, 31];

/** Bits of INIT's flags (linux/fuse.h). */
const features = {
  asyncRead: 1 << 0,
  atomicTruncate: 1 << 3,
  bigWrites: 1 << 5,
  autoInvalidate: 1 << 12,
  readdirplus: 1 << 13,
  readdirplusAuto: 1 << 14,
  parallelFolders: 1 << 18,
  maxPages: 1 << 22,
};
const wanted = Object.values(features).reduce((all, bit) => all | bit, 0);

/** Answers a request: with the body of the reply, or `undefined` for a request that gets none. */
export type FuseAnswer = (request: FuseRequest, signal: AbortSignal) => Promise<Uint8Array | undefined>;

/** Fails a request with an error of errno(3). */
export class FuseError extends Error {
  readonly errno: number;

  constructor(name: keyof typeof constants.errno) {
    super(name);
    this.errno = constants.errno[name];
  }
}

function readOnce(fd: number, buffer: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, 0, buffer.length, null, (error, count) => (error ? reject(error) : resolve(count)));
  });
}

function initReply(request: FuseRequest): Buffer {
  const [kernelMajor, kernelMinor] = [request.uint32(), request.uint32()];
  const [readahead, flags] = [request.uint32(), request.uint32()];
  if (kernelMajor !== major || kernelMinor < 23) throw new FuseError("EPROTO");
  const out = Buffer.alloc(64);
  [major, minor, readahead, flags & wanted].forEach((value, index) => out.writeUInt32LE(value >>> 0, 4 * index));
  out.writeUInt16LE(16, 16);
  out.writeUInt16LE(12, 18);
  out.writeUInt32LE(writeMax, 20);
  // Times are exact to the nanosecond.
  out.writeUInt32LE(1, 24);
  out.writeUInt16LE(writeMax / 4096, 28);
  return out;
}

/** One mounted file system: takes the kernel's requests and gives its replies. */
export class FuseSession {
  readonly #fd: number;
  readonly #answer: FuseAnswer;
  readonly #errnoOf: (error: unknown) => number;
  readonly #running = new Map<bigint, AbortController>();
  readonly #work = new Set<Promise<void>>();

  /**
   * @param fd - of /dev/fuse, mounted; it is closed when all is over
   * @param errnoOf - number of an error that `answer` fails with
   */
  constructor(fd: number, answer: FuseAnswer, errnoOf: (error: unknown) => number) {
    this.#fd = fd;
    this.#answer = answer;
    this.#errnoOf = errnoOf;
  }

  /**
   * Serves until the file system is unmounted and all that was asked is done.
   * @param onReady - told once the kernel has it
   */
  async serve(onReady: () => void): Promise<void> {
    try {
      await this.#serveAll(onReady);
      await Promise.all(this.#work);
    } finally {
      closeSync(this.#fd);
    }
  }

  async #serveAll(onReady: () => void): Promise<void> {
    const buffer = Buffer.allocUnsafe(readBufferSize);
    for (;;) {
      let count: number;
      try {
        count = await readOnce(this.#fd, buffer);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "ENODEV" || code === "ECONNABORTED") return;
        // Requests that were interrupted before we had them.
        if (code === "ENOENT" || code === "EINTR" || code === "EAGAIN") continue;
        throw error;
      }
      if (count === 0) return;
      // What a request holds is needed longer than the buffer.
      const request = new FuseRequest(Buffer.from(buffer.subarray(0, count)));
      if (request.opcode === operation.init) {
        this.#reply(request, () => initReply(request));
        onReady();
      } else if (request.opcode === operation.interrupt) {
        this.#running.get(request.bigUint64())?.abort();
      } else {
        const work = this.#serveOne(request).finally(() => this.#work.delete(work));
        this.#work.add(work);
      }
    }
  }

  async #serveOne(request: FuseRequest): Promise<void> {
    const stop = new AbortController();
    this.#running.set(request.unique, stop);
    try {
      const body = await this.#answer(request, stop.signal);
      if (body !== undefined) this.#reply(request, () => body);
    } catch (error) {
      this.#reply(request, () => {
        throw error;
      });
    } finally {
      this.#running.delete(request.unique);
    }
  }

  #reply(request: FuseRequest, make: () => Uint8Array): void {
    let body = new Uint8Array(0);
    let errno = 0;
    try {
      body = new Uint8Array(make());
    } catch (error) {
      errno = error instanceof FuseError ? error.errno : this.#errnoOf(error);
    }
    const header = Buffer.alloc(16);
    header.writeUInt32LE(16 + body.length, 0);
    header.writeInt32LE(-errno, 4);
    header.writeBigUInt64LE(request.unique, 8);
    try {
      writevSync(this.#fd, body.length === 0 ? [header] : [header, body]);
    } catch (error) {
      // Nobody waits for it any more, or the file system is unmounted.
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT" && code !== "ENODEV") throw error;
    }
  }
}
