import koffi from "koffi";
import { DaemonError } from "../daemon-error.ts";
import { cString } from "./c-string.ts";
import { check, SystemError } from "./system-error.ts";

type Pointer = bigint | null;
interface Library {
  getFile(fd: number): Pointer;
  setFile(fd: number, capabilities: Pointer): number;
  fromText(text: Uint8Array): Pointer;
  toText(capabilities: Pointer, length: null): Pointer;
  free(memory: Pointer): number;
}

let loaded: Library | undefined;

function library(): Library {
  if (loaded) return loaded;
  const libcap = koffi.load("libcap.so.2");
  loaded = {
    getFile: libcap.func("cap_get_fd", "void*", ["int"]),
    setFile: libcap.func("cap_set_fd", "int", ["int", "void*"]),
    fromText: libcap.func("cap_from_text", "void*", ["void*"]),
    toText: libcap.func("cap_to_text", "void*", ["void*", "void*"]),
    free: libcap.func("cap_free", "int", ["void*"]),
  };
  return loaded;
}

/** cap_get_fd(3) in the text form of cap_from_text(3); empty when the file has none. */
export function getCapabilities(fd: number): string {
  const { getFile, toText, free } = library();
  const capabilities = getFile(fd);
  if (capabilities === null) {
    const error = new SystemError("cap_get_fd");
    if (error.code === "ENODATA") return "";
    throw error;
  }
  try {
    const text = toText(capabilities, null);
    if (text === null) throw new SystemError("cap_to_text");
    const copy = koffi.decode(text, "char", -1) as string;
    free(text);
    return copy;
  } finally {
    free(capabilities);
  }
}

/** cap_set_fd(3) from the text form of cap_from_text(3). */
export function setCapabilities(fd: number, text: string): void {
  const { setFile, fromText, free } = library();
  const capabilities = fromText(cString(text));
  if (capabilities === null)
    throw new DaemonError(`${text}: no capabilities in the text form of cap_from_text(3)`, "EINVAL");
  try {
    check(setFile(fd, capabilities), "cap_set_fd");
  } finally {
    free(capabilities);
  }
}
