import { ProtocolError } from "@guestfs/protocol";
import type { Statns, Xattr } from "@guestfs/schema";
import type { GuestfsApi } from "../gen/api.ts";

/** How many names are asked about in one call of the daemon. */
const batchSize = 1000;

type Attributes = ReadonlyMap<string, Uint8Array>;

/**
 * Takes apart what `lxattrlist` gives: for each file an entry with the number of its attributes, and then those.
 * @throws ProtocolError when a number is none, or more than what follows
 */
function attributesIn(list: readonly Xattr[]): Attributes[] {
  const files: Attributes[] = [];
  for (let at = 0; at < list.length;) {
    const text = Buffer.from((list[at] as Xattr).attrval).toString("latin1");
    // Empty: they could not be read.
    const count = text === "" ? 0 : Number(text);
    if (!/^\d*$/.test(text) || count > list.length - at - 1)
      throw new ProtocolError("a list of extended attributes with a number that is none");
    files.push(new Map(list.slice(at + 1, at + 1 + count).map(({ attrname, attrval }) => [attrname, attrval])));
    at += 1 + count;
  }
  return files;
}

/** A folder as it was when it was opened; what its files are is asked for in batches, when it is wanted. */
export class FolderListing {
  readonly #g: GuestfsApi;
  readonly path: string;
  readonly names: readonly string[];
  readonly #attributes = new Map<number, Promise<readonly Attributes[]>>();
  #places: ReadonlyMap<string, number> | undefined;
  #batch: readonly Statns[] = [];
  #from = 0;

  private constructor(g: GuestfsApi, path: string, names: readonly string[]) {
    this.#g = g;
    this.path = path;
    this.names = names;
  }

  static async open(g: GuestfsApi, path: string, signal: AbortSignal): Promise<FolderListing> {
    return new FolderListing(g, path, await g.ls(path, { signal }));
  }

  /** What a name is; `undefined` when it is gone since. */
  async stat(at: number, signal: AbortSignal): Promise<Statns | undefined> {
    if (at < this.#from || at >= this.#from + this.#batch.length) {
      this.#from = at - (at % batchSize);
      const names = this.names.slice(this.#from, this.#from + batchSize);
      this.#batch = await this.#g.lstatnslist(this.path, names, { signal });
    }
    const stat = this.#batch[at - this.#from];
    return stat && stat.st_ino !== -1n ? stat : undefined;
  }

  /**
   * Extended attributes of a name.
   * @returns `undefined` when it is not in the folder, or they can only be had one by one
   */
  async attributes(name: string): Promise<Attributes | undefined> {
    this.#places ??= new Map(this.names.map((one, at) => [one, at]));
    const at = this.#places.get(name);
    if (at === undefined) return undefined;
    const from = at - (at % batchSize);
    let batch = this.#attributes.get(from);
    if (!batch) {
      const names = this.names.slice(from, from + batchSize);
      // Too much for a reply, or more than the daemon can: then it is asked for each of them.
      batch = this.#g.lxattrlist(this.path, names).then(attributesIn, () => []);
      this.#attributes.set(from, batch);
    }
    return (await batch)[at - from];
  }
}
