import type { Statns } from "@guestfs/schema";
import { CallContext } from "../call-context.ts";
import { RemoteError, UnsupportedError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import { inTurn } from "../in-turn.ts";
import { isUnknownProcedure, listingFunctions } from "../library/listing.ts";
import { fileTypes, isType, pathIn } from "./entry.ts";
import type { WalkEntry } from "./entry.ts";
import { RecordSink } from "./record-sink.ts";
import { WalkRecords } from "./records.ts";

/** Wire name, for errors. */
export const walkProcedure = "walk";

/** Records of one walk that are kept to be sorted, in bytes: for some hundred thousand files. With more of them a folder is taken apart. */
const wholeMax = 16 * 1024 * 1024;
/** The same for what is directly in one folder. */
const levelMax = 64 * 1024 * 1024;
/** Names that are asked about at a time. */
const batchSize = 1000;

/** No limit for how deep a walk goes. */
export const allLevels = 0;

/** What a folder is that went away during a walk. */
const gone: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR"]);
type Found = { readonly entries: Iterable<WalkEntry> } | "too many" | "refused";

/** One walk through a tree. No more than the records of {@link wholeMax}, or the names of the largest folder, are in memory. */
export class Walk {
  readonly #handle: Handle;
  readonly #signal: AbortSignal | undefined;
  #hasExtension: boolean | undefined;

  constructor(handle: Handle, signal: AbortSignal | undefined) {
    this.#handle = handle;
    this.#signal = signal;
  }

  /**
   * Everything below a folder, each folder before what is in it, the names of a folder by their bytes.
   * @param depth - how many levels down, or {@link allLevels}
   * @param isTop - whether it is an error when there is no such folder
   */
  async *below(folder: string, depth: number, isTop = true): AsyncGenerator<WalkEntry, void, void> {
    let found = await this.#walkedByDaemon(folder, depth, wholeMax);
    let taken = depth;
    if (found === "too many") {
      taken = 1;
      found = await this.#walkedByDaemon(folder, taken, levelMax);
    }
    if (typeof found === "object" && taken === depth) yield* found.entries;
    else if (typeof found === "object") yield* this.#andBelow(found.entries, depth);
    else yield* this.#listed(folder, depth, isTop);
  }

  async *#andBelow(entries: Iterable<WalkEntry>, depth: number): AsyncGenerator<WalkEntry, void, void> {
    for (const entry of entries) {
      yield entry;
      if (isType(entry.stat, fileTypes.folder) && depth !== 1)
        yield* this.below(entry.path, depth === allLevels ? allLevels : depth - 1, false);
    }
  }

  /** With the calls that every daemon has, one folder. */
  async *#listed(folder: string, depth: number, isTop: boolean): AsyncGenerator<WalkEntry, void, void> {
    let names: readonly string[];
    try {
      names = await this.#inTurn((context) => listingFunctions.ls(context, folder));
    } catch (error) {
      if (!isTop && error instanceof RemoteError && gone.has(error.errno)) return;
      throw error;
    }
    for (let start = 0; start < names.length; start += batchSize) {
      const batch = names.slice(start, start + batchSize);
      yield* this.#andBelow(await this.#inTurn((context) => entriesOf(context, folder, batch)), depth);
    }
  }

  /** With our daemon's call for it, where it has one. */
  async #walkedByDaemon(folder: string, depth: number, limit: number): Promise<Found> {
    if (this.#hasExtension === false) return "refused";
    return this.#inTurn(async (context) => {
      this.#hasExtension ??= await context.hasExtensions();
      if (!this.#hasExtension) return "refused";
      const sink = new RecordSink(limit);
      try {
        await context.call("extension_walk", { directory: folder, maxdepth: depth }, { sink });
      } catch (error) {
        if (sink.wrong) throw sink.wrong;
        if (sink.overflowed) return "too many";
        if (!(error instanceof RemoteError) && !(error instanceof UnsupportedError)) throw error;
        // What it is, the other calls tell better: they are about one folder.
        if (error instanceof UnsupportedError || error.errno === "EPERM" || isUnknownProcedure(error))
          this.#hasExtension = false;
        return "refused";
      }
      const records = new WalkRecords(sink.bytes(), folder);
      return { entries: entriesWith(await devicesOf(context, folder, records.devices()), records) };
    });
  }

  #inTurn<T>(work: (context: CallContext) => Promise<T>): Promise<T> {
    const context = new CallContext(this.#handle, walkProcedure, this.#signal);
    return inTurn(context, () => {
      context.cancellation.check();
      return work(context);
    });
  }
}

async function entriesOf(context: CallContext, folder: string, names: readonly string[]): Promise<WalkEntry[]> {
  const stats = await listingFunctions.lstatnslist(context, folder, names);
  const links = names.filter((_, at) => isType(stats[at] as Statns, fileTypes.link));
  const targets = links.length === 0 ? [] : await listingFunctions.readlinklist(context, folder, links);
  const targetOf = new Map(links.map((name, at) => [name, targets[at] ?? ""]));
  return names.flatMap((name, at) => {
    const stat = stats[at] as Statns;
    // Gone since its folder was read: a machine that runs goes on working.
    if (stat.st_ino === -1n) return [];
    return [{ path: pathIn(folder, name), stat, target: targetOf.get(name) ?? "" }];
  });
}

/** The stat of device files, by path. */
async function devicesOf(
  context: CallContext,
  top: string,
  paths: readonly string[],
): Promise<ReadonlyMap<string, Statns>> {
  const namesIn = new Map<string, string[]>();
  for (const path of paths) {
    const cut = path.lastIndexOf("/");
    const folder = cut < 0 ? top : pathIn(top, path.slice(0, cut));
    const names = namesIn.get(folder);
    if (names) names.push(path.slice(cut + 1));
    else namesIn.set(folder, [path.slice(cut + 1)]);
  }
  const found = new Map<string, Statns>();
  for (const [folder, names] of namesIn) {
    const stats = await listingFunctions.lstatnslist(context, folder, names);
    for (const [at, name] of names.entries()) found.set(pathIn(folder, name), stats[at] as Statns);
  }
  return found;
}

const isDevice = (stat: { readonly st_mode: number }): boolean =>
  isType(stat, fileTypes.characterDevice) || isType(stat, fileTypes.blockDevice);

/** What records say, and of devices what was asked for. */
function* entriesWith(devices: ReadonlyMap<string, Statns>, records: WalkRecords): Generator<WalkEntry, void, void> {
  for (const entry of records.entries()) {
    if (!isDevice(entry.stat)) yield entry;
    else {
      const stat = devices.get(entry.path);
      // Otherwise it went away since.
      if (stat && isDevice(stat)) yield { ...entry, stat };
    }
  }
}
