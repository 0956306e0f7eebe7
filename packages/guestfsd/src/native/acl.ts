import koffi from "koffi";
import { DaemonError } from "../daemon-error.ts";
import { cString } from "./c-string.ts";
import { check, SystemError } from "./system-error.ts";

/** access or default ACL, as acl_get_file(3) numbers them */
export type AclType = "access" | "default";
const types: Readonly<Record<AclType, number>> = { access: 0x8000, default: 0x4000 };

type Pointer = bigint | null;
interface Library {
  getFile(path: Uint8Array, type: number): Pointer;
  setFile(path: Uint8Array, type: number, acl: Pointer): number;
  deleteDefault(path: Uint8Array): number;
  fromText(text: Uint8Array): Pointer;
  toText(acl: Pointer, length: null): Pointer;
  free(memory: Pointer): number;
}

let loaded: Library | undefined;

function library(): Library {
  if (loaded) return loaded;
  const libacl = koffi.load("libacl.so.1");
  loaded = {
    getFile: libacl.func("acl_get_file", "void*", ["void*", "uint"]),
    setFile: libacl.func("acl_set_file", "int", ["void*", "uint", "void*"]),
    deleteDefault: libacl.func("acl_delete_def_file", "int", ["void*"]),
    fromText: libacl.func("acl_from_text", "void*", ["void*"]),
    toText: libacl.func("acl_to_text", "void*", ["void*", "void*"]),
    free: libacl.func("acl_free", "int", ["void*"]),
  };
  return loaded;
}

function need(pointer: Pointer, call: string): Pointer {
  if (pointer === null) throw new SystemError(call);
  return pointer;
}

/** acl_get_file(3), in the long text form of acl(5). */
export function getAcl(path: string, type: AclType): string {
  const { getFile, toText, free } = library();
  const acl = need(getFile(cString(path), types[type]), "acl_get_file");
  try {
    const text = need(toText(acl, null), "acl_to_text");
    const copy = koffi.decode(text, "char", -1) as string;
    free(text);
    return copy;
  } finally {
    free(acl);
  }
}

/** acl_set_file(3), from any text form of acl(5). */
export function setAcl(path: string, type: AclType, text: string): void {
  const { setFile, fromText, free } = library();
  const acl = fromText(cString(text));
  if (acl === null) throw new DaemonError(`${text}: no ACL in the text form of acl(5)`, "EINVAL");
  try {
    check(setFile(cString(path), types[type], acl), "acl_set_file");
  } finally {
    free(acl);
  }
}

/** acl_delete_def_file(3). */
export function deleteDefaultAcl(path: string): void {
  check(library().deleteDefault(cString(path)), "acl_delete_def_file");
}
