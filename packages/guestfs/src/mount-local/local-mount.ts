import { realpathSync, statSync } from "node:fs";
import { getSystemErrorName } from "node:util";
import { GuestfsError } from "../errors.ts";
import { endFuse, endFuseNow, mountedOn, mountFuse, unmountFolder, unmountFuse } from "../fuse/mount.ts";
import { nameOfOperation } from "../fuse/request.ts";
import { FuseError, FuseSession } from "../fuse/session.ts";
import type { FuseAnswer } from "../fuse/session.ts";
import type { GuestfsApi } from "../gen/api.ts";
import type { FuseOptions } from "./fuse-options.ts";
import { guestErrno } from "./guest-errno.ts";
import { GuestFilesystem } from "./guest-filesystem.ts";

/** How a machine is mounted on a folder. */
export interface LocalMountOptions extends FuseOptions {
  /** How long the kernel may believe what it was told of a file, in seconds. */
  readonly validFor: number;
  /** Takes a line for each thing that the kernel asks for. */
  readonly tell?: ((line: string) => void) | undefined;
  /** Undoes what was done to the machine for this; called once, when nobody uses the folder any more. */
  readonly restore: () => Promise<void>;
}

/** Node reads files in this many threads, of which each mounted folder takes one (libuv, UV_THREADPOOL_SIZE). */
const threads = Number(process.env["UV_THREADPOOL_SIZE"] ?? 4);
const mounted = new Set<LocalMount>();

/** At the end of the process: a thread that waits for the kernel would keep it, and the folder would be of no use to anybody. */
function endAll(): void {
  for (const mount of mounted) mount.endNow();
}

/** @returns the folder's path without links @throws GuestfsError with code LOCAL when it can't be mounted on */
function checkFolder(path: string): string {
  try {
    if (!statSync(path).isDirectory()) throw new GuestfsError("LOCAL", `${path}: is no folder of this host`);
    return realpathSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new GuestfsError("LOCAL", `${path}: is no folder of this host`, { cause: error });
    if (code === "ENOTCONN")
      throw new GuestfsError(
        "LOCAL",
        `${path}: is mounted still, by a program that has ended\nTo fix it: guestunmount ${path}`,
        { cause: error },
      );
    throw code === "LOCAL" ? error : new GuestfsError("LOCAL", message, { cause: error });
  }
}

function checkThreads(): void {
  if (mounted.size < threads - 1) return;
  throw new GuestfsError(
    "LOCAL",
    `${mounted.size} folders are mounted by this process, and each takes one of the ${threads} threads in which Node reads files\nTo fix it: start the process with UV_THREADPOOL_SIZE=${Math.max(8, 2 * threads)}`,
  );
}

function told(answer: FuseAnswer, tell: (line: string) => void): FuseAnswer {
  return async (request, signal) => {
    const what = `${nameOfOperation(request.opcode)} ${request.node}`;
    try {
      const body = await answer(request, signal);
      tell(`${what}: ${body === undefined ? "no reply" : `${body.length} bytes`}`);
      return body;
    } catch (error) {
      const number = error instanceof FuseError ? error.errno : guestErrno(error);
      tell(`${what}: ${getSystemErrorName(-number)}`);
      throw error;
    }
  };
}

/** The files of a machine, mounted on a folder of this host: they are served from the beginning until it is unmounted. */
export class LocalMount {
  /** Path of the folder, absolute and without links. */
  readonly folder: string;
  /** Settles when the folder is unmounted and all that was asked is done. */
  readonly served: Promise<void>;
  readonly #connection: number;
  #ended = false;
  #error: Error | undefined;

  private constructor(folder: string, connection: number, served: Promise<void>, restore: () => Promise<void>) {
    this.folder = folder;
    this.#connection = connection;
    if (mounted.size === 0) process.on("exit", endAll);
    mounted.add(this);
    this.served = this.#finish(served, restore);
    // Who waits for it learns of a failure.
    this.served.catch(() => undefined);
  }

  /**
   * Mounts.
   * @param g - whose calls serve the files
   * @throws GuestfsError with code LOCAL
   */
  static async start(g: GuestfsApi, path: string, options: LocalMountOptions): Promise<LocalMount> {
    const folder = checkFolder(path);
    checkThreads();
    const { readOnly, kernel, source = "guestfs", subtype = "guestfs", tell } = options;
    const filesystem = new GuestFilesystem(g, options);
    const answer: FuseAnswer = (request, signal) => filesystem.answer(request, signal);
    const flags = readOnly && !kernel.includes("ro") ? [...kernel, "ro"] : kernel;
    const fd = await mountFuse({ folder, source, subtype, options: flags });
    const session = new FuseSession(fd, tell === undefined ? answer : told(answer, tell), guestErrno);
    const connection = (await mountedOn(folder))?.connection ?? 0;
    return new Promise((resolve) => {
      const served = session.serve(() => resolve(mount));
      const mount = new LocalMount(folder, connection, served, options.restore);
      // Somebody may unmount it before the kernel has said a word.
      const early = (): void => resolve(mount);
      mount.served.then(early, early);
    });
  }

  async #finish(served: Promise<void>, restore: () => Promise<void>): Promise<void> {
    try {
      await served;
    } finally {
      this.#ended = true;
      mounted.delete(this);
      if (mounted.size === 0) process.off("exit", endAll);
      await restore();
    }
  }

  /** Whether it is unmounted. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Why it was ended, when that was no ordinary unmounting. */
  get error(): Error | undefined {
    return this.#error;
  }

  /**
   * Unmounts.
   * @param retries - how often it is tried again while the folder is in use, after pauses of 1, 2, 4, ... seconds
   * @param tell - takes what stands in the way, before each pause
   * @throws GuestfsError with code LOCAL when it is in use still; whatever serving failed with
   */
  async unmount(retries: number, tell: (obstacle: string) => void): Promise<void> {
    await unmountFolder(this.folder, retries, tell);
    await this.served;
  }

  /** Unmounts, and takes it away from those who use it. */
  async stop(error: Error): Promise<void> {
    // Something else may be mounted there by now.
    if (this.#ended) return;
    this.#error ??= error;
    if ((await unmountFuse(this.folder).catch((failure: unknown) => String(failure))) !== "") await this.end();
  }

  /** Ends it without asking the machine for anything any more. */
  async end(error?: Error): Promise<void> {
    if (this.#ended) return;
    this.#error ??= error;
    await endFuse(this.folder, this.#connection);
  }

  /** The same, done when this returns. */
  endNow(): void {
    endFuseNow(this.folder, this.#connection);
  }
}
