import { getSystemErrorMap } from "node:util";

// Where libuv's wording departs from strerror(3), for the errors that paths lead to.
const wording: Readonly<Record<string, string>> = {
  ENOENT: "No such file or directory",
  ENOTDIR: "Not a directory",
  EACCES: "Permission denied",
  EPERM: "Operation not permitted",
  EISDIR: "Is a directory",
  EEXIST: "File exists",
  ELOOP: "Too many levels of symbolic links",
  ENAMETOOLONG: "File name too long",
  ENOSPC: "No space left on device",
};

/** What strerror(3) says of an error of the system; the error's message for any other. */
export function strerror(error: unknown): string {
  const { code, errno, message } = error as NodeJS.ErrnoException;
  return wording[code ?? ""] ?? (errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]) ?? message;
}
