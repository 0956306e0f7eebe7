import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { RefusedError } from "../daemon-error.ts";
import type { Policy } from "./policy.ts";

/** Linux; node:fs has it only where it was built to. */
const O_NOATIME = 0o1000000;
const O_PATH = 0o10000000;

function covers(prefix: string, path: string): boolean {
  return prefix === "/" || path === prefix || path.startsWith(`${prefix}/`);
}

/** Whether something mounted, a volume or the like stands on a block device: then nobody else may have it alone (open(2), O_EXCL). */
export function deviceIsInUse(path: string): boolean {
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_EXCL | constants.O_NONBLOCK));
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EBUSY";
  }
}

/** Keeps a conversation within the paths that the policy gives, and off devices that are in use. */
export class PathGuard {
  readonly #policy: Policy;
  /** Whether nothing may be changed, times of access included. */
  readOnly: boolean;

  constructor(policy: Policy) {
    this.#policy = policy;
    this.readOnly = policy.readOnly;
  }

  /** Whether the policy has rules for paths at all. */
  get limitsPaths(): boolean {
    return this.#policy.allowedPaths.length > 0 || this.#policy.deniedPaths.length > 0;
  }

  /** Whether a rule for paths says that something is allowed: in the presence of any rule, devices need one. */
  allows(path: string): boolean {
    return this.#policy.allowedPaths.some((prefix) => covers(prefix, path));
  }

  /**
   * Checks where something really is.
   * @param path - in the guest, every symlink resolved
   * @param whole - everything below it is meant as well
   * @throws RefusedError with EACCES
   */
  check(path: string, whole = false): void {
    const { deniedPaths, allowedPaths, source } = this.#policy;
    const refuse = (why: string): never => {
      throw new RefusedError(`${path}: refused by the policy of this machine: ${why} (paths in ${source})`, "EACCES");
    };
    for (const prefix of deniedPaths) {
      if (covers(prefix, path)) refuse(`nothing below ${prefix} may be used`);
      if (whole && covers(path, prefix)) refuse(`${prefix} is below it, and may not be used`);
    }
    if (allowedPaths.length > 0 && !this.allows(path))
      refuse(`only what is below ${allowedPaths.join(", ")} may be used`);
  }

  /** The flags to open something of the guest with. */
  flags(flags: number): number {
    const reads = (flags & (constants.O_WRONLY | constants.O_RDWR | O_PATH)) === constants.O_RDONLY;
    return this.readOnly && reads ? flags | O_NOATIME : flags;
  }

  /** @throws RefusedError when a descriptor that can be written is a block device in use */
  checkOpened(fd: number, path: string, flags: number): void {
    if ((flags & O_PATH) !== 0 || (flags & (constants.O_WRONLY | constants.O_RDWR)) === 0) return;
    if (fstatSync(fd).isBlockDevice() && deviceIsInUse(`/proc/self/fd/${fd}`))
      throw new RefusedError(
        `${path}: refused by the policy of this machine: the device is in use, and writing to it could destroy what is on it`,
        "EBUSY",
      );
  }
}
