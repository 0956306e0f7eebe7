import { constants } from "node:os";
import { CancelledError, GuestfsError, RemoteError } from "../errors.ts";

const numbers: Readonly<Record<string, number>> = constants.errno;

/** The number of errno(3) that says most of an error. */
export function guestErrno(error: unknown): number {
  if (error instanceof RemoteError) return numbers[error.errno] ?? constants.errno.EIO;
  if (error instanceof CancelledError) return constants.errno.EINTR;
  // What the library refuses by itself: the machine was attached read-only.
  if (error instanceof GuestfsError && error.code === "LOCAL") return constants.errno.EROFS;
  if (error instanceof RangeError) return constants.errno.EINVAL;
  return constants.errno.EIO;
}
