import koffi from "koffi";
import { cString } from "./c-string.ts";
import { MS_RDONLY } from "./mount.ts";
import { SystemError } from "./system-error.ts";

type Pointer = bigint;
type Out<T> = [T];

interface Library {
  split(
    options: Uint8Array,
    user: Out<Pointer | null>,
    vfs: Out<Pointer | null>,
    fs: Out<Pointer | null>,
    ignoreUser: number,
    ignoreVfs: number,
  ): number;
  flags(options: Uint8Array, flags: BigUint64Array, map: Pointer): number;
  map(id: number): Pointer;
  free(pointer: Pointer): void;
}

const MNT_LINUX_MAP = 1;

let loaded: Library | undefined;

function library(): Library {
  if (loaded) return loaded;
  const mount = koffi.load("libmount.so.1");
  const out = "_Out_ void **";
  loaded = {
    split: mount.func("mnt_split_optstr", "int", ["void *", out, out, out, "int", "int"]),
    flags: mount.func("mnt_optstr_get_flags", "int", ["void *", "void *", "void *"]),
    map: mount.func("mnt_get_builtin_optmap", "void *", ["int"]),
    free: koffi.load("libc.so.6").func("free", "void", ["void *"]),
  } as unknown as Library;
  return loaded;
}

/** Options of mount(8), taken apart. */
export interface MountOptions {
  /** flags of mount(2) */
  readonly flags: number;
  /** what the filesystem itself understands */
  readonly data: string;
  /** what only mount(8) understands: `loop`, `uhelper=...` */
  readonly user: string;
}

/** Takes the options of mount(8) apart as libmount does. */
export function splitMountOptions(options: string): MountOptions {
  // What nearly every mount asks for.
  if (options === "" || options === "ro") return { flags: options === "" ? 0 : MS_RDONLY, data: "", user: "" };
  const mount = library();
  const parts: [Out<Pointer | null>, Out<Pointer | null>, Out<Pointer | null>] = [[null], [null], [null]];
  const failed = mount.split(cString(options), ...parts, 0, 0);
  if (failed !== 0) throw new SystemError("mnt_split_optstr", -failed);
  const [user, vfs, fs] = parts.map(([pointer]) => {
    if (pointer === null) return "";
    const text = koffi.decode(pointer, "char", -1) as string;
    mount.free(pointer);
    return text;
  }) as [string, string, string];
  const flags = new BigUint64Array(1);
  const map = mount.map(MNT_LINUX_MAP);
  const wrong = mount.flags(cString(vfs), flags, map);
  if (wrong !== 0) throw new SystemError("mnt_optstr_get_flags", -wrong);
  return { flags: Number(flags[0]), data: fs, user };
}
