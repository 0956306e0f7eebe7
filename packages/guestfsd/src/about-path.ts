import { DaemonError } from "./daemon-error.ts";
import { errorText } from "./native/system-error.ts";

/** Runs something that is about another path than the call's first one: a failed system call in it then names that path. */
export function aboutPath<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof DaemonError || typeof code !== "string") throw error;
    throw new DaemonError(`${path}: ${errorText(code)}`, code, { cause: error });
  }
}
