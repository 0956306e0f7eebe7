import koffi from "koffi";
import { DaemonError } from "../daemon-error.ts";
import { cString } from "./c-string.ts";
import { bytesAt, freePointer, takeText, takeWords } from "./pointer.ts";
import type { Pointer } from "./pointer.ts";
import { SystemError } from "./system-error.ts";

type Text = Uint8Array | null;
type Word = number | bigint;
type Out = [Word];

interface Library {
  readonly open: (filename: Text, flags: number) => Pointer | null;
  readonly close: (hive: Pointer) => number;
  readonly root: (hive: Pointer) => Word;
  readonly nodeName: (hive: Pointer, node: Word) => Pointer | null;
  readonly nodeChildren: (hive: Pointer, node: Word) => Pointer | null;
  readonly nodeGetChild: (hive: Pointer, node: Word, name: Text) => Word;
  readonly nodeParent: (hive: Pointer, node: Word) => Word;
  readonly nodeValues: (hive: Pointer, node: Word) => Pointer | null;
  readonly nodeGetValue: (hive: Pointer, node: Word, key: Text) => Word;
  readonly valueKey: (hive: Pointer, value: Word) => Pointer | null;
  readonly valueType: (hive: Pointer, value: Word, type: [number], length: Out) => number;
  readonly valueValue: (hive: Pointer, value: Word, type: [number], length: Out) => Pointer | null;
  readonly commit: (hive: Pointer, filename: Text, flags: number) => number;
  readonly nodeAddChild: (hive: Pointer, parent: Word, name: Text) => Word;
  readonly nodeDeleteChild: (hive: Pointer, node: Word) => number;
  readonly nodeSetValue: (hive: Pointer, node: Word, value: object, flags: number) => number;
}

let loaded: Library | undefined;

function library(): Library {
  if (loaded) return loaded;
  const hivex = koffi.load("libhivex.so.0");
  const bind = (name: string, result: string, parameters: string[]): unknown =>
    hivex.func(`hivex_${name}`, result, parameters);
  const hive = "void *";
  const text = "void *";
  // A key and its value: struct hive_set_value.
  const setValue = koffi.struct({ key: "void *", type: "int", length: "size_t", value: "void *" });
  loaded = {
    open: bind("open", hive, [text, "int"]),
    close: bind("close", "int", [hive]),
    root: bind("root", "size_t", [hive]),
    nodeName: bind("node_name", "void *", [hive, "size_t"]),
    nodeChildren: bind("node_children", "void *", [hive, "size_t"]),
    nodeGetChild: bind("node_get_child", "size_t", [hive, "size_t", text]),
    nodeParent: bind("node_parent", "size_t", [hive, "size_t"]),
    nodeValues: bind("node_values", "void *", [hive, "size_t"]),
    nodeGetValue: bind("node_get_value", "size_t", [hive, "size_t", text]),
    valueKey: bind("value_key", "void *", [hive, "size_t"]),
    valueType: bind("value_type", "int", [hive, "size_t", "_Out_ int *", "_Out_ size_t *"]),
    valueValue: bind("value_value", "void *", [hive, "size_t", "_Out_ int *", "_Out_ size_t *"]),
    commit: bind("commit", "int", [hive, text, "int"]),
    nodeAddChild: bind("node_add_child", "size_t", [hive, "size_t", text]),
    nodeDeleteChild: bind("node_delete_child", "int", [hive, "size_t"]),
    nodeSetValue: hivex.func("hivex_node_set_value", "int", [hive, "size_t", koffi.pointer(setValue), "int"]),
  } as Library;
  return loaded;
}

/** hivex_open(3). */
export const hiveFlags = { verbose: 1, debug: 2, write: 4, unsafe: 8 } as const;

/** A hive of the Windows registry, by libhivex. Nodes and values are named by their numbers; 0 is none. */
export class Hive {
  readonly #library: Library;
  readonly #handle: Pointer;
  readonly #release: () => void;

  /**
   * @param filename - on the daemon's side; has to stay valid as long as the hive is open
   * @param release - called when the hive is closed
   */
  constructor(filename: string, flags: number, release: () => void = () => {}) {
    this.#library = library();
    const handle = this.#library.open(cString(filename), flags);
    if (handle === null) throw new SystemError("hivex_open");
    this.#handle = handle;
    this.#release = release;
  }

  close(): void {
    this.#library.close(this.#handle);
    this.#release();
  }

  root(): number {
    return this.#word(this.#library.root(this.#handle));
  }

  nodeName(node: number): string {
    return takeText(this.#pointer(this.#library.nodeName(this.#handle, node)));
  }

  children(node: number): number[] {
    return takeWords(this.#pointer(this.#library.nodeChildren(this.#handle, node))).map(Number);
  }

  /** A child by its name, case ignored. */
  child(node: number, name: string): number {
    koffi.errno(0);
    return this.#wordOrNone(this.#library.nodeGetChild(this.#handle, node, cString(name)));
  }

  parent(node: number): number {
    return this.#word(this.#library.nodeParent(this.#handle, node));
  }

  values(node: number): number[] {
    return takeWords(this.#pointer(this.#library.nodeValues(this.#handle, node))).map(Number);
  }

  /** A value by its key, case ignored. */
  value(node: number, key: string): number {
    koffi.errno(0);
    return this.#wordOrNone(this.#library.nodeGetValue(this.#handle, node, cString(key)));
  }

  valueKey(value: number): string {
    return takeText(this.#pointer(this.#library.valueKey(this.#handle, value)));
  }

  valueType(value: number): number {
    const type: [number] = [0];
    if (this.#library.valueType(this.#handle, value, type, [0]) < 0) throw new SystemError("hivex_value_type");
    return type[0];
  }

  valueBytes(value: number): Uint8Array {
    const length: Out = [0];
    const pointer = this.#pointer(this.#library.valueValue(this.#handle, value, [0], length));
    try {
      return bytesAt(pointer, Number(length[0]));
    } finally {
      freePointer(pointer);
    }
  }

  /** The bytes of a value taken as UTF-16LE text, up to the first NUL. */
  valueText(value: number): string {
    const bytes = this.valueBytes(value);
    try {
      const text = new TextDecoder("utf-16le", { fatal: true }).decode(bytes.subarray(0, bytes.length & ~1));
      return text.replace(/\0[^]*$/, "");
    } catch (error) {
      throw new DaemonError("the value is not UTF-16LE text", "EILSEQ", { cause: error });
    }
  }

  addChild(parent: number, name: string): number {
    return this.#word(this.#library.nodeAddChild(this.#handle, parent, cString(name)));
  }

  deleteNode(node: number): void {
    if (this.#library.nodeDeleteChild(this.#handle, node) < 0) throw new SystemError("hivex_node_delete_child");
  }

  setValue(node: number, key: string, type: number, value: Uint8Array): void {
    const entry = { key: cString(key), type, length: value.length, value };
    if (this.#library.nodeSetValue(this.#handle, node, entry, 0) < 0) throw new SystemError("hivex_node_set_value");
  }

  /** Writes the hive to a file; without a name to where it came from. */
  commit(filename: string | null): void {
    if (this.#library.commit(this.#handle, filename === null ? null : cString(filename), 0) < 0)
      throw new SystemError("hivex_commit");
  }

  #pointer(pointer: Pointer | null): Pointer {
    if (pointer === null) throw new SystemError("hivex");
    return pointer;
  }

  #word(word: Word): number {
    if (Number(word) === 0) throw new SystemError("hivex");
    return Number(word);
  }

  #wordOrNone(word: Word): number {
    if (Number(word) === 0 && koffi.errno() !== 0) throw new SystemError("hivex");
    return Number(word);
  }
}
