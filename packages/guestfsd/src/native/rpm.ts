import koffi from "koffi";
import { DaemonError } from "../daemon-error.ts";
import { cString } from "./c-string.ts";
import { textAt } from "./pointer.ts";
import type { Pointer } from "./pointer.ts";

type Handle = Pointer | null;

interface Library {
  readonly pushMacro: (context: null, name: Uint8Array, options: null, body: Uint8Array, level: number) => number;
  readonly createSet: () => Pointer;
  readonly freeSet: (set: Pointer) => Handle;
  readonly setVerification: (set: Pointer, flags: number) => number;
  readonly openDatabase: (set: Pointer, mode: number) => number;
  readonly iterate: (set: Pointer, tag: number, key: null, length: number) => Handle;
  readonly next: (iterator: Pointer) => Handle;
  readonly freeIterator: (iterator: Pointer) => Handle;
  readonly getString: (header: Pointer, tag: number) => Handle;
  readonly getNumber: (header: Pointer, tag: number) => number | bigint;
  readonly setLogMask: (mask: number) => number;
}

let loaded: Library | undefined;

function library(): Library {
  if (loaded) return loaded;
  const rpm = koffi.load("librpm.so.9");
  const rpmio = koffi.load("librpmio.so.9");
  const library: Library = {
    pushMacro: rpmio.func("rpmPushMacro", "int", ["void *", "void *", "void *", "void *", "int"]),
    setLogMask: rpmio.func("rpmlogSetMask", "int", ["int"]),
    createSet: rpm.func("rpmtsCreate", "void *", []),
    freeSet: rpm.func("rpmtsFree", "void *", ["void *"]),
    setVerification: rpm.func("rpmtsSetVSFlags", "uint", ["void *", "uint"]),
    openDatabase: rpm.func("rpmtsOpenDB", "int", ["void *", "int"]),
    iterate: rpm.func("rpmtsInitIterator", "void *", ["void *", "int", "void *", "size_t"]),
    next: rpm.func("rpmdbNextIterator", "void *", ["void *"]),
    freeIterator: rpm.func("rpmdbFreeIterator", "void *", ["void *"]),
    getString: rpm.func("headerGetString", "void *", ["void *", "int"]),
    getNumber: rpm.func("headerGetNumber", "uint64", ["void *", "int"]),
  };
  // RPMLOG_ERR and worse, on stderr.
  library.setLogMask((1 << 4) - 1);
  // Its usual macros would ask a shell for the place. All else is found out from the files.
  const macros = {
    _db_backend: "sqlite",
    _rpmlock_path: "/run/rpm.lock",
    _keyringpath: "/run/rpm-keys",
    _keyring: "fs",
  };
  for (const [name, body] of Object.entries(macros)) library.pushMacro(null, cString(name), null, cString(body), -1);
  loaded = library;
  return library;
}

// rpm/rpmtag.h
const tags = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  summary: 1004,
  description: 1005,
  vendor: 1011,
  url: 1020,
  arch: 1022,
  source: 1044,
} as const;

/** A package in RPM's database; empty where it has nothing. */
export type RpmPackage = { readonly [Field in Exclude<keyof typeof tags, "epoch">]: string } & {
  readonly epoch: number;
};

// No digests, no signatures: nothing here runs what is in the packages.
const noVerification = 0xf_0f00;

/**
 * Reads RPM's database, by librpm.
 * @param folder - a copy of it: it is written in
 */
export function readRpmDatabase(folder: string, visit: (entry: RpmPackage) => void): void {
  const rpm = library();
  rpm.pushMacro(null, cString("_dbpath"), null, cString(folder), -1);
  const set = rpm.createSet();
  try {
    rpm.setVerification(set, noVerification);
    if (rpm.openDatabase(set, 0) !== 0) throw new DaemonError(`${folder}: RPM's database can't be opened`);
    const iterator = rpm.iterate(set, 0, null, 0);
    if (iterator === null) return;
    try {
      for (let header = rpm.next(iterator); header !== null; header = rpm.next(iterator))
        visit(readHeader(rpm, header));
    } finally {
      rpm.freeIterator(iterator);
    }
  } finally {
    rpm.freeSet(set);
  }
}

function readHeader(rpm: Library, header: Pointer): RpmPackage {
  const text = (tag: number): string => {
    const value = rpm.getString(header, tag);
    return value === null ? "" : textAt(value);
  };
  return {
    name: text(tags.name),
    version: text(tags.version),
    release: text(tags.release),
    epoch: Number(rpm.getNumber(header, tags.epoch)),
    summary: text(tags.summary),
    description: text(tags.description),
    vendor: text(tags.vendor),
    url: text(tags.url),
    arch: text(tags.arch),
    source: text(tags.source),
  };
}
