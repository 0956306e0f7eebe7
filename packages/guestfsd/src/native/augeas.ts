import koffi from "koffi";
import { DaemonError } from "../daemon-error.ts";
import { cString } from "./c-string.ts";
import { freePointer, takeText, textAt, wordsAt } from "./pointer.ts";
import type { Pointer } from "./pointer.ts";

type Text = Uint8Array | null;
type Out = [Pointer | null];

interface Library {
  readonly init: (root: Text, loadpath: Text, flags: number) => Pointer | null;
  readonly close: (aug: Pointer) => void;
  readonly load: (aug: Pointer) => number;
  readonly save: (aug: Pointer) => number;
  readonly get: (aug: Pointer, path: Text, value: Out) => number;
  readonly label: (aug: Pointer, path: Text, label: Out) => number;
  readonly set: (aug: Pointer, path: Text, value: Text) => number;
  readonly setm: (aug: Pointer, base: Text, sub: Text, value: Text) => number;
  readonly insert: (aug: Pointer, path: Text, label: Text, before: number) => number;
  readonly rm: (aug: Pointer, path: Text) => number;
  readonly mv: (aug: Pointer, source: Text, target: Text) => number;
  readonly match: (aug: Pointer, path: Text, matches: Out) => number;
  readonly defvar: (aug: Pointer, name: Text, expression: Text) => number;
  readonly defnode: (aug: Pointer, name: Text, expression: Text, value: Text, created: Int32Array) => number;
  readonly transform: (aug: Pointer, lens: Text, file: Text, exclude: number) => number;
  readonly textStore: (aug: Pointer, lens: Text, node: Text, path: Text) => number;
  readonly error: (aug: Pointer) => number;
  readonly errorMessage: (aug: Pointer) => string | null;
  readonly errorMinor: (aug: Pointer) => string | null;
  readonly errorDetails: (aug: Pointer) => string | null;
}

const text = "void *";
const handle = "void *";
const out = "_Out_ void **";
let loaded: Library | undefined;

function library(): Library {
  if (loaded) return loaded;
  const augeas = koffi.load("libaugeas.so.0");
  const bind = (name: string, result: string, parameters: string[]): unknown =>
    augeas.func(`aug_${name}`, result, parameters);
  loaded = {
    init: bind("init", handle, [text, text, "uint"]),
    close: bind("close", "void", [handle]),
    load: bind("load", "int", [handle]),
    save: bind("save", "int", [handle]),
    get: bind("get", "int", [handle, text, out]),
    label: bind("label", "int", [handle, text, out]),
    set: bind("set", "int", [handle, text, text]),
    setm: bind("setm", "int", [handle, text, text, text]),
    insert: bind("insert", "int", [handle, text, text, "int"]),
    rm: bind("rm", "int", [handle, text]),
    mv: bind("mv", "int", [handle, text, text]),
    match: bind("match", "int", [handle, text, out]),
    defvar: bind("defvar", "int", [handle, text, text]),
    defnode: bind("defnode", "int", [handle, text, text, text, "void *"]),
    transform: bind("transform", "int", [handle, text, text, "int"]),
    textStore: bind("text_store", "int", [handle, text, text, text]),
    error: bind("error", "int", [handle]),
    errorMessage: bind("error_message", "str", [handle]),
    errorMinor: bind("error_minor_message", "str", [handle]),
    errorDetails: bind("error_details", "str", [handle]),
  } as Library;
  return loaded;
}

const AUG_NO_LOAD = 1 << 5;
const AUG_NO_MODL_AUTOLOAD = 1 << 6;
/** The bits of aug_init(3) that a client may set: AUG_SAVE_BACKUP to AUG_NO_MODL_AUTOLOAD. */
const publicFlags = 0x7f;
/** Node that lenses are tried on. */
const trial = "/augeas/trial";

function optional(value: string | null): Text {
  return value === null ? null : cString(value);
}

/** A session of libaugeas. Paths are Augeas path expressions. */
export class Augeas {
  readonly #library: Library;
  readonly #handle: Pointer;
  /** Lenses, as `/augeas/load` names them, that are in memory. */
  readonly #lenses: Set<string>;

  /**
   * aug_init(3) without loading anything yet.
   * @param root - folder that is `/` for the files
   */
  constructor(root: string, flags: number) {
    this.#library = library();
    const handle = this.#library.init(cString(root), null, (flags & publicFlags) | AUG_NO_LOAD);
    if (handle === null) throw new DaemonError("libaugeas could not be started");
    this.#handle = handle;
    this.#lenses = new Set((flags & AUG_NO_MODL_AUTOLOAD) === 0 ? this.#lensesToUse() : []);
  }

  close(): void {
    this.#library.close(this.#handle);
  }

  /**
   * Reads the lenses of all transforms, which {@link load} and {@link save} would look for at their first use. They run
   * with the guest's tree as root, where a lens would be the guest's.
   * @throws DaemonError when there is no such lens
   */
  readLenses(): void {
    for (const lens of this.#lensesToUse()) {
      if (this.#lenses.has(lens)) continue;
      this.set(trial, "");
      const { textStore, error } = this.#library;
      // A lens that can't read an empty text sets no error, see aug_error(3).
      const result = textStore(this.#handle, cString(lens), cString(trial), cString(trial));
      if (error(this.#handle) !== 0) this.#check(result, lens);
      this.remove(trial);
      this.remove("/augeas/text/*");
      this.#lenses.add(lens);
    }
  }

  load(): void {
    this.#check(this.#library.load(this.#handle));
  }

  save(): void {
    this.#check(this.#library.save(this.#handle));
  }

  /** The value of the one node that matches: `undefined` without a node, `null` without a value. */
  get(path: string): string | null | undefined {
    return this.#lookUp(this.#library.get, path);
  }

  /** The label of the one node that matches, `undefined` without a node. */
  label(path: string): string | null | undefined {
    return this.#lookUp(this.#library.label, path);
  }

  set(path: string, value: string | null): void {
    this.#check(this.#library.set(this.#handle, cString(path), optional(value)), path);
  }

  setMany(base: string, sub: string | null, value: string): number {
    return this.#check(this.#library.setm(this.#handle, cString(base), optional(sub), cString(value)), base);
  }

  insert(path: string, label: string, before: boolean): void {
    this.#check(this.#library.insert(this.#handle, cString(path), cString(label), before ? 1 : 0), path, label);
  }

  remove(path: string): number {
    return this.#check(this.#library.rm(this.#handle, cString(path)), path);
  }

  move(source: string, target: string): void {
    this.#check(this.#library.mv(this.#handle, cString(source), cString(target)), source, target);
  }

  defineVariable(name: string, expression: string | null): number {
    return this.#check(this.#library.defvar(this.#handle, cString(name), optional(expression)), name);
  }

  /** @returns how many nodes the variable holds, and whether one was made */
  defineNode(name: string, expression: string, value: string): { count: number; created: boolean } {
    const created = new Int32Array(1);
    const { defnode } = this.#library;
    const count = this.#check(
      defnode(this.#handle, cString(name), cString(expression), cString(value), created),
      name,
      expression,
    );
    return { count, created: created[0] === 1 };
  }

  transform(lens: string, file: string, exclude: boolean): void {
    this.#check(this.#library.transform(this.#handle, cString(lens), cString(file), exclude ? 1 : 0), lens, file);
  }

  match(path: string): string[] {
    const matches: Out = [null];
    const count = this.#check(this.#library.match(this.#handle, cString(path), matches), path);
    if (matches[0] === null) return [];
    const found = Array.from(wordsAt(matches[0], count), (pointer) => takeText(pointer));
    freePointer(matches[0]);
    return found;
  }

  #lensesToUse(): string[] {
    return this.match("/augeas/load/*/lens").flatMap((path) => this.get(path) ?? []);
  }

  #lookUp(ask: Library["get"], path: string): string | null | undefined {
    const found: Out = [null];
    if (this.#check(ask(this.#handle, cString(path), found), path) === 0) return undefined;
    return found[0] === null ? null : textAt(found[0]);
  }

  /** What libaugeas notes in the tree about files that it could not read or write. */
  #fileErrors(): string {
    const first = this.match("/augeas//error").slice(0, 10);
    const notes = first.map(
      (path) => `${path}: ${[this.get(path), this.get(`${path}/message`)].filter(Boolean).join(": ")}`,
    );
    return notes.join("\n") || "libaugeas failed";
  }

  #check(result: number, ...subjects: string[]): number {
    if (result >= 0) return result;
    if (this.#library.error(this.#handle) === 0) throw new DaemonError(this.#fileErrors());
    const { errorMessage, errorMinor, errorDetails } = this.#library;
    const parts = [errorMessage, errorMinor, errorDetails].map((ask) => ask(this.#handle)).filter(Boolean);
    throw new DaemonError([...subjects, ...parts].join(": "));
  }
}
