import { readFileSync } from "node:fs";
import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Why a template was given up, and since when. */
interface Failure {
  /** Failures in a row. */
  count: number;
  timeMs: number;
  reason: string;
}

// One failure may be an accident; after the second, trying again would only cost each launch its time.
const MAX_FAILURES = 2;
const FORGET_MS = 60 * 60 * 1000;

// For folders that can't be written.
const ofThisProcess = new Map<string, Failure>();

function read(path: string): Failure | undefined {
  const known = ofThisProcess.get(path);
  let kept: Failure | undefined;
  try {
    kept = JSON.parse(readFileSync(path, "utf8")) as Failure;
  } catch {
    // Missing or damaged: it has not failed.
  }
  const last = kept !== undefined && (known === undefined || kept.timeMs >= known.timeMs) ? kept : known;
  return last !== undefined && Math.abs(Date.now() - last.timeMs) < FORGET_MS ? last : undefined;
}

const suffix = ".failed.json";

/** Paths of all that tells of failures in a store, recent ones or forgotten ones. */
async function records(store: string, which: "recent" | "forgotten"): Promise<string[]> {
  const paths = (await readdir(store)).filter((name) => name.endsWith(suffix)).map((name) => join(store, name));
  return paths.filter((path) => (read(path) === undefined) === (which === "forgotten"));
}

/** Paths of what tells of failures that are not forgotten yet. */
export const recentFailures = (store: string): Promise<string[]> => records(store, "recent");

/** Removes what tells of failures that count no more. */
export async function removeForgotten(store: string): Promise<void> {
  for (const path of await records(store, "forgotten")) await rm(path, { force: true });
}

/** Failures of the templates in a store: after two in a row, a template is left alone for an hour. */
export class TemplateFailures {
  readonly #path: string;

  constructor(store: string, name: string) {
    this.#path = join(store, name + suffix);
  }

  /** Why the template is not to be tried now; `undefined` when it may be. */
  reason(): string | undefined {
    const failure = read(this.#path);
    return failure !== undefined && failure.count >= MAX_FAILURES ? failure.reason : undefined;
  }

  async add(reason: string): Promise<void> {
    const before = read(this.#path);
    const failure: Failure = { count: (before?.count ?? 0) + 1, timeMs: Date.now(), reason };
    ofThisProcess.set(this.#path, failure);
    try {
      const draft = `${this.#path}.${process.pid}`;
      await writeFile(draft, JSON.stringify(failure), { mode: 0o600 });
      await rename(draft, this.#path);
    } catch {
      // This process knows it.
    }
  }

  async forget(): Promise<void> {
    if (!ofThisProcess.delete(this.#path) && read(this.#path) === undefined) return;
    await rm(this.#path, { force: true }).catch(() => undefined);
  }
}
