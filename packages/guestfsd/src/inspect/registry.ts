import { openHive } from "../handlers/hivex.ts";
import type { Hive } from "../native/hivex.ts";
import type { Sysroot } from "../sysroot.ts";

const unsafe = 8;

/** Looks values up in a hive of the registry; what is missing or odd is as if it were not there. */
export class Registry {
  readonly #hive: Hive;

  private constructor(hive: Hive) {
    this.#hive = hive;
  }

  /** Hands on a hive of the guest; `undefined` when it can't be read. */
  static use<T>(sysroot: Sysroot, path: string, read: (registry: Registry) => T): T | undefined {
    let hive: Hive;
    try {
      hive = openHive(sysroot, path, unsafe);
    } catch {
      return undefined;
    }
    try {
      return read(new Registry(hive));
    } catch {
      return undefined;
    } finally {
      hive.close();
    }
  }

  /** The node at a path of keys from the root. */
  node(path: readonly string[]): number | undefined {
    let node = this.#hive.root();
    for (const name of path) {
      node = this.#hive.child(node, name);
      if (node === 0) return undefined;
    }
    return node;
  }

  #value(node: number | undefined, key: string): number | undefined {
    const value = node === undefined ? 0 : this.#hive.value(node, key);
    return value === 0 ? undefined : value;
  }

  text(node: number | undefined, key: string): string | undefined {
    const value = this.#value(node, key);
    return value === undefined ? undefined : this.#hive.valueText(value) || undefined;
  }

  number(node: number | undefined, key: string): number | undefined {
    const value = this.#value(node, key);
    const bytes = value === undefined ? undefined : Buffer.from(this.#hive.valueBytes(value));
    return bytes?.length === 4 ? bytes.readUInt32LE(0) : undefined;
  }

  /** All values of a node by key, one at a time: all of them may have the same large bytes. */
  *values(node: number | undefined): Generator<{ key: string; bytes: Buffer }> {
    if (node === undefined) return;
    for (const value of this.#hive.values(node))
      yield { key: this.#hive.valueKey(value), bytes: Buffer.from(this.#hive.valueBytes(value)) };
  }

  hasChildren(node: number | undefined): boolean {
    return node !== undefined && this.#hive.children(node).length > 0;
  }
}
