import koffi from "koffi";
import { DaemonError } from "../daemon-error.ts";
import { cString } from "./c-string.ts";
import { bytesAt, textAt } from "./pointer.ts";
import type { Pointer } from "./pointer.ts";

type Word = number | bigint;
type Callback = (file: Pointer, path: Pointer, user: null) => number;

interface Library {
  readonly openImage: (path: Uint8Array, type: number, sectorSize: number) => Pointer | null;
  readonly closeImage: (image: Pointer) => void;
  readonly openFileSystem: (image: Pointer, offset: number, type: number) => Pointer | null;
  readonly closeFileSystem: (fs: Pointer) => void;
  readonly walk: (fs: Pointer, inode: Word, flags: number, callback: Callback, user: null) => number;
  readonly error: () => string | null;
}

let loaded: Library | undefined;

function library(): Library {
  if (loaded) return loaded;
  const tsk = koffi.load("libtsk.so.19");
  const callback = koffi.pointer(koffi.proto("int SleuthkitWalk(void *file, void *path, void *user)"));
  loaded = {
    openImage: tsk.func("tsk_img_open_utf8_sing", "void *", ["void *", "int", "uint"]),
    closeImage: tsk.func("tsk_img_close", "void", ["void *"]),
    openFileSystem: tsk.func("tsk_fs_open_img", "void *", ["void *", "int64", "int"]),
    closeFileSystem: tsk.func("tsk_fs_close", "void", ["void *"]),
    walk: tsk.func("tsk_fs_dir_walk", "uint8_t", ["void *", "uint64", "int", callback, "void *"]),
    error: tsk.func("tsk_error_get", "str", []),
  };
  return loaded;
}

// tsk_fs.h of libtsk 19 on 64-bit machines
const fsInfo = { size: 40, rootInode: 32 } as const;
const fsFile = { size: 24, name: 8, meta: 16 } as const;
const fsName = { size: 88, name: 8, inode: 40, type: 80, flags: 84 } as const;
const fsMeta = { size: 256, flags: 4, type: 16, nlink: 24, length: 32, times: 48, link: 248 } as const;
const WALK_ALLOCATED = 1;
const WALK_UNALLOCATED = 2;
const WALK_RECURSE = 4;
const WALK_NO_ORPHANS = 8;
const WALK_CONTINUE = 0;
const WALK_ERROR = 2;

/** Seconds since 1970 and nanoseconds. */
export interface PreciseTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** What libtsk knows of an entry beside its name: nothing of some that are deleted. */
export interface InodeFacts {
  readonly allocated: boolean;
  readonly compressed: boolean;
  /** TSK_FS_META_TYPE_ENUM */
  readonly type: number;
  readonly nlink: number;
  readonly size: number;
  readonly mtime: PreciseTime;
  readonly atime: PreciseTime;
  readonly ctime: PreciseTime;
  readonly crtime: PreciseTime;
  /** target of a symlink, else empty */
  readonly link: string;
}

/** An entry of a folder, deleted ones among them. */
export interface WalkEntry {
  /** without a leading slash */
  readonly path: string;
  readonly inode: number;
  /** TSK_FS_NAME_TYPE_ENUM */
  readonly type: number;
  readonly allocated: boolean;
  readonly facts?: InodeFacts;
}

function viewAt(pointer: Pointer, length: number): DataView {
  const bytes = bytesAt(pointer, length);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function readFacts(pointer: Pointer): InodeFacts {
  const view = viewAt(pointer, fsMeta.size);
  const flags = view.getUint32(fsMeta.flags, true);
  const time = (index: number): PreciseTime => ({
    seconds: Number(view.getBigInt64(fsMeta.times + index * 16, true)),
    nanoseconds: view.getUint32(fsMeta.times + index * 16 + 8, true),
  });
  const link = view.getBigUint64(fsMeta.link, true);
  return {
    allocated: (flags & 1) !== 0,
    compressed: (flags & 16) !== 0,
    type: view.getUint32(fsMeta.type, true),
    nlink: view.getInt32(fsMeta.nlink, true),
    size: Number(view.getBigInt64(fsMeta.length, true)),
    mtime: time(0),
    atime: time(1),
    ctime: time(2),
    crtime: time(3),
    link: link === 0n ? "" : textAt(link),
  };
}

function readEntry(file: Pointer, folder: Pointer): WalkEntry | undefined {
  const pointers = viewAt(file, fsFile.size);
  const nameAt = pointers.getBigUint64(fsFile.name, true);
  if (nameAt === 0n) return undefined;
  const name = viewAt(nameAt, fsName.size);
  const text = name.getBigUint64(fsName.name, true);
  const last = text === 0n ? "" : textAt(text);
  const above = textAt(folder);
  // Of the folders themselves, the root alone has no other entry.
  if (last === ".." || (last === "." && above !== "")) return undefined;
  const meta = pointers.getBigUint64(fsFile.meta, true);
  return {
    path: `${above}${last}`,
    inode: Number(name.getBigUint64(fsName.inode, true)),
    type: name.getUint32(fsName.type, true),
    allocated: (name.getUint32(fsName.flags, true) & 2) === 0,
    ...(meta === 0n ? {} : { facts: readFacts(meta) }),
  };
}

function failure(): DaemonError {
  return new DaemonError(library().error() ?? "libtsk failed");
}

/** Goes through every entry of a filesystem on a device that is not mounted, by The Sleuth Kit. */
export function walkFileSystem(device: string, pulse: () => void, onEntry: (entry: WalkEntry) => void): void {
  const tsk = library();
  const image = tsk.openImage(cString(device), 0, 0);
  if (image === null) throw failure();
  try {
    const fs = tsk.openFileSystem(image, 0, 0);
    if (fs === null) throw failure();
    let thrown: unknown;
    const callback = koffi.register(
      ((file, path) => {
        try {
          pulse();
          const entry = readEntry(file, path);
          if (entry) onEntry(entry);
          return WALK_CONTINUE;
        } catch (error) {
          thrown = error;
          return WALK_ERROR;
        }
      }) satisfies Callback,
      "SleuthkitWalk *",
    );
    try {
      const root = viewAt(fs, fsInfo.size).getBigUint64(fsInfo.rootInode, true);
      const flags = WALK_ALLOCATED | WALK_UNALLOCATED | WALK_RECURSE | WALK_NO_ORPHANS;
      const failed = tsk.walk(fs, root, flags, callback as unknown as Callback, null) !== 0;
      if (thrown !== undefined) throw thrown as Error;
      if (failed) throw failure();
    } finally {
      koffi.unregister(callback);
      tsk.closeFileSystem(fs);
    }
  } finally {
    tsk.closeImage(image);
  }
}
