import koffi from "koffi";
import { DaemonError } from "../daemon-error.ts";

const MAGIC_COMPRESS = 0x4;
const MAGIC_DEVICES = 0x8;

type Cookie = bigint;
interface Library {
  readonly cookie: Cookie;
  descriptor(cookie: Cookie, fd: number): string | null;
  buffer(cookie: Cookie, data: Uint8Array, length: number): string | null;
  setFlags(cookie: Cookie, flags: number): number;
  error(cookie: Cookie): string | null;
}

let loaded: Library | undefined;

function library(): Library {
  if (loaded) return loaded;
  const libmagic = koffi.load("libmagic.so.1");
  const open = libmagic.func("magic_open", "void*", ["int"]) as (flags: number) => Cookie | null;
  const load = libmagic.func("magic_load", "int", ["void*", "void*"]) as (cookie: Cookie, database: null) => number;
  const error = libmagic.func("magic_error", "str", ["void*"]) as (cookie: Cookie) => string | null;
  const cookie = open(0);
  if (cookie === null) throw new DaemonError("libmagic can't be set up", "ENOMEM");
  if (load(cookie, null) !== 0) throw new DaemonError(`libmagic has no database: ${error(cookie)}`, "ENOENT");
  loaded = {
    cookie,
    error,
    descriptor: libmagic.func("magic_descriptor", "str", ["void*", "int"]),
    buffer: libmagic.func("magic_buffer", "str", ["void*", "void*", "size_t"]),
    setFlags: libmagic.func("magic_setflags", "int", ["void*", "int"]),
  };
  return loaded;
}

/** magic_descriptor(3): what a file or device holds; compressed data are looked into. The file is read from its place. */
export function describeDescriptor(fd: number): string {
  const { cookie, descriptor, setFlags, error } = library();
  setFlags(cookie, MAGIC_COMPRESS | MAGIC_DEVICES);
  const text = descriptor(cookie, fd);
  if (text === null) throw new DaemonError(`libmagic: ${error(cookie)}`);
  return text;
}

/** magic_buffer(3): what bytes from the start of a file show. */
export function describeBytes(data: Uint8Array): string {
  const { cookie, buffer, setFlags, error } = library();
  setFlags(cookie, 0);
  const text = buffer(cookie, data, data.length);
  if (text === null) throw new DaemonError(`libmagic: ${error(cookie)}`);
  return text;
}
