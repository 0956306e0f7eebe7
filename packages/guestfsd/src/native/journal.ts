import { getSystemErrorName } from "node:util";
import koffi from "koffi";
import { bytesAt } from "./pointer.ts";
import type { Pointer } from "./pointer.ts";
import { SystemError } from "./system-error.ts";

type Word = number | bigint;

interface Library {
  readonly open: (journal: [Pointer | null], fd: number, flags: number) => number;
  readonly close: (journal: Pointer) => void;
  readonly next: (journal: Pointer) => number;
  readonly nextSkip: (journal: Pointer, count: number) => number;
  readonly previousSkip: (journal: Pointer, count: number) => number;
  readonly restart: (journal: Pointer) => void;
  readonly enumerate: (journal: Pointer, data: [Pointer | null], length: [Word]) => number;
  readonly getThreshold: (journal: Pointer, threshold: [Word]) => number;
  readonly setThreshold: (journal: Pointer, threshold: number) => number;
  readonly getRealtime: (journal: Pointer, microseconds: [Word]) => number;
}

let loaded: Library | undefined;

function library(): Library {
  if (loaded) return loaded;
  const systemd = koffi.load("libsystemd.so.0");
  const bind = (name: string, parameters: string[], result = "int"): unknown =>
    systemd.func(`sd_journal_${name}`, result, parameters);
  const journal = "void *";
  loaded = {
    open: bind("open_directory_fd", ["_Out_ void **", "int", "int"]),
    close: bind("close", [journal], "void"),
    next: bind("next", [journal]),
    nextSkip: bind("next_skip", [journal, "uint64"]),
    previousSkip: bind("previous_skip", [journal, "uint64"]),
    restart: bind("restart_data", [journal], "void"),
    enumerate: bind("enumerate_available_data", [journal, "_Out_ void **", "_Out_ size_t *"]),
    getThreshold: bind("get_data_threshold", [journal, "_Out_ size_t *"]),
    setThreshold: bind("set_data_threshold", [journal, "size_t"]),
    getRealtime: bind("get_realtime_usec", [journal, "_Out_ uint64 *"]),
  } as Library;
  return loaded;
}

function check(result: number): number {
  if (result >= 0) return result;
  // sd-journal(3) gives the error's number itself, not through errno.
  throw new SystemError(`sd_journal: ${getSystemErrorName(result)}`, -result);
}

/** Loads libsystemd, for whoever opens a journal with another root than its own. */
export function loadJournalLibrary(): void {
  library();
}

/** Entries that are passed over in one go. */
const skipStep = 1000;

/** The journal files in a folder, by libsystemd. It stands before the first entry at first. */
export class Journal {
  readonly #handle: Pointer;

  /** @param folder - descriptor of the folder; needed only during the call */
  constructor(folder: number) {
    const handle: [Pointer | null] = [null];
    check(library().open(handle, folder, 0));
    if (handle[0] === null) throw new SystemError("sd_journal_open");
    this.#handle = handle[0];
  }

  close(): void {
    library().close(this.#handle);
  }

  /** @returns whether there was another entry */
  next(): boolean {
    return check(library().next(this.#handle)) > 0;
  }

  /** @returns how many entries it went on, or back */
  skip(count: number, pulse: () => void): number {
    const { nextSkip, previousSkip } = library();
    const skip = count > 0 ? nextSkip : previousSkip;
    const wanted = Math.abs(count);
    for (let done = 0; ; pulse()) {
      const step = Math.min(wanted - done, skipStep);
      const skipped = step === 0 ? 0 : check(skip(this.#handle, step));
      done += skipped;
      if (skipped < step || done === wanted) return done;
    }
  }

  /** The fields of the entry: `NAME=value`, the value any bytes. */
  *fields(): Generator<Uint8Array> {
    library().restart(this.#handle);
    for (;;) {
      const data: [Pointer | null] = [null];
      const length: [Word] = [0];
      if (check(library().enumerate(this.#handle, data, length)) === 0 || data[0] === null) return;
      yield bytesAt(data[0], Number(length[0]));
    }
  }

  get threshold(): number {
    const threshold: [Word] = [0];
    check(library().getThreshold(this.#handle, threshold));
    return Number(threshold[0]);
  }

  set threshold(bytes: number) {
    check(library().setThreshold(this.#handle, bytes));
  }

  /** Microseconds since 1970. */
  get realtime(): number {
    const microseconds: [Word] = [0];
    check(library().getRealtime(this.#handle, microseconds));
    return Number(microseconds[0]);
  }
}
